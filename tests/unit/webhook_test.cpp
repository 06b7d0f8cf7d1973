// SPDX-License-Identifier: GPL-2.0-only
// Alerts to a webhook, with a program in the place of curl that writes down what it got.
#include "cli/webhook.h"

#include <sys/stat.h>

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include "base/file.h"

namespace punctual {
namespace {

using namespace std::chrono_literals;

class WebhookTest : public testing::Test {
 protected:
	WebhookTest() : folder_(TempDir::create("webhook").value()), path_(std::getenv("PATH"))
	{
		::setenv("PATH", (folder_.path().native() + ":" + path_).c_str(), 1);
	}
	~WebhookTest() override { ::setenv("PATH", path_.c_str(), 1); }
	void write_curl(const std::string& script) const
	{
		ASSERT_TRUE(replace_file(folder_.path() / "curl", "#!/bin/sh\n" + script));
		ASSERT_EQ(::chmod((folder_.path() / "curl").c_str(), 0755), 0);
	}
	std::string written() const { return read_file(folder_.path() / "out").value_or(""); }
	std::string out() const { return (folder_.path() / "out").native(); }

	TempDir folder_;
	std::string path_;
};

TEST_F(WebhookTest, DeliversAllInTheirOrder)
{
	write_curl("cat >>" + out() + "; for last; do :; done; echo \" $last\" >>" + out() + "\n");
	Webhook webhook("http://a/b", 0);
	webhook.post("{\"n\":1}");
	webhook.post("{\"n\":2}");
	webhook.finish();
	EXPECT_EQ(written(), "{\"n\":1} http://a/b\n{\"n\":2} http://a/b\n");
}

TEST_F(WebhookTest, WithoutAUrlNothingIsStarted)
{
	write_curl("echo x >>" + out() + "\n");
	Webhook webhook("", 0);
	webhook.post("{}");
	webhook.finish();
	EXPECT_EQ(written(), "");
}

// Neither one that hangs nor a storm of alerts makes the caller wait or grow.
TEST_F(WebhookTest, SlowReceiverCostsTheOldestAlerts)
{
	write_curl("cat >>" + out() + "; exec sleep 1000\n");
	Webhook webhook("http://a", 0);
	for (size_t alert = 0; alert < 100; alert++)
		webhook.post("1");
	while (written().empty())
		std::this_thread::sleep_for(5ms);
	EXPECT_EQ(written(), "1");
}

}  // namespace
}  // namespace punctual
