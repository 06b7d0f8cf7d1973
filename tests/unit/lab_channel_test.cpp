// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "lab/channel.h"

namespace punctual {
namespace {

// The two ends of one channel, as host and guest have them.
struct Ends {
	Channel host = *Channel::create();
	Channel guest = *Channel::map(UniqueFd(::dup(host.fd())));

	std::string received(FrameKind wanted)
	{
		std::string bytes;
		EXPECT_TRUE(host.receive([&](FrameKind kind, std::string_view payload) {
			if (kind == wanted)
				bytes.append(payload);
		}));
		return bytes;
	}
};

TEST(Channel, JobArrivesAsItWasPut)
{
	Ends ends;
	EXPECT_FALSE(ends.guest.job());  // nothing there yet
	const std::string job("a\0b", 3);
	ASSERT_TRUE(ends.host.put_job(job));
	EXPECT_EQ(ends.guest.job().value(), job);
}

TEST(Channel, StreamsStayApartAndInOrder)
{
	Ends ends;
	ends.guest.send(FrameKind::out, "one ");
	ends.guest.send(FrameKind::err, "trouble");
	ends.guest.send(FrameKind::out, "two");
	std::string order;
	std::string out;
	ASSERT_TRUE(ends.host.receive([&](FrameKind kind, std::string_view payload) {
		order += kind == FrameKind::out ? 'o' : 'e';
		if (kind == FrameKind::out)
			out.append(payload);
	}));
	EXPECT_EQ(order, "oeo");
	EXPECT_EQ(out, "one two");
}

TEST(Channel, EmptyFrameStillArrives)
{
	Ends ends;
	ends.guest.send(FrameKind::started, "");
	int frames = 0;
	ASSERT_TRUE(ends.host.receive([&](FrameKind, std::string_view) { frames++; }));
	EXPECT_EQ(frames, 1);
}

TEST(Channel, MoreThanTheRingHoldsIsNotLost)
{
	Ends ends;
	std::string sent(Channel::kRingBytes + 12345, '\0');
	for (size_t i = 0; i < sent.size(); i++)
		sent[i] = static_cast<char>(i * 2654435761u >> 13);
	std::thread guest([&] {
		ends.guest.send(FrameKind::out, sent);
		ends.guest.send(FrameKind::ended, "0");
	});
	std::string got;
	bool ended = false;
	while (!ended)  // the writer waits for us when the ring is full
		ASSERT_TRUE(ends.host.receive([&](FrameKind kind, std::string_view payload) {
			ended |= kind == FrameKind::ended;
			if (kind == FrameKind::out)
				got.append(payload);
		}));
	guest.join();
	EXPECT_TRUE(got == sent);
}

TEST(Channel, WriterWaitsForTheReaderInsteadOfOverwriting)
{
	Ends ends;
	const std::string first(Channel::kRingBytes - (128 << 10), 'a');  // fits
	const std::string rest(256 << 10, 'b');                           // does not
	ends.guest.send(FrameKind::out, first);
	std::thread guest([&] { ends.guest.send(FrameKind::out, rest); });
	std::this_thread::sleep_for(std::chrono::milliseconds(20));  // for a writer that does not wait to do harm
	std::string got;
	while (got.size() < first.size() + rest.size() && !HasFailure())
		EXPECT_TRUE(ends.host.receive([&](FrameKind, std::string_view payload) { got.append(payload); }));
	guest.join();
	EXPECT_TRUE(got == first + rest);
}

TEST(Channel, GuestThatOverwritesTheMemoryIsAnErrorOfTheGuest)
{
	Ends ends;
	ends.guest.send(FrameKind::out, "fine");
	// A length that cannot be: the second word of the first frame.
	const uint32_t length = 0xffffff00;
	ASSERT_EQ(::pwrite(ends.host.fd(), &length, sizeof(length), 4096 + 4), 4);
	EXPECT_FALSE(ends.host.receive([](FrameKind, std::string_view) {}));
}

TEST(Channel, AnswersAreCounted)
{
	Ends ends;
	EXPECT_EQ(ends.host.answers(), 0u);
	ends.guest.answer();
	EXPECT_EQ(ends.host.answers(), 1u);
}

}  // namespace
}  // namespace punctual
