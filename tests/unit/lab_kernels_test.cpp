// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>
#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "lab/apt_sources.h"
#include "lab/bzimage.h"
#include "lab/kernel_table.h"

namespace punctual {
namespace {

std::string image_package(std::string_view version)
{
	return fmt::format("linux-image-{}+deb13-cloud-amd64", version);
}

std::string binary_package(std::string_view version)
{
	return fmt::format("linux-binary-{}+deb13-cloud-amd64", version);
}

TEST(KernelTable, SeriesMeansItsPinnedVersion)
{
	EXPECT_EQ(wanted_kernel("6.18").value(), "6.18.15");
	EXPECT_EQ(wanted_kernel("7.0").value(), "7.0.13");
	EXPECT_EQ(wanted_kernel("6.1").value(), "6.1.0-47");
	EXPECT_EQ(wanted_kernel("6.18.9").value(), "6.18.9");
}

TEST(KernelTable, UnknownSeriesIsAUsageErrorThatNamesTheOthers)
{
	for (const char* text : {"7.2", "6.2", "", "6.18.", "6.18-", "6.18.x", "latest", "6"}) {
		const auto wanted = wanted_kernel(text);
		ASSERT_FALSE(wanted) << text;
		EXPECT_EQ(wanted.error().code, ExitCode::usage);
		EXPECT_NE(wanted.error().what.find("6.18"), std::string::npos);
	}
}

TEST(KernelTable, PinnedVersionIsTakenEvenWhenNewerOnesAreOffered)
{
	const auto choice = choose_kernel("6.18.15", {image_package("6.18.20"), image_package("6.18.15")});
	EXPECT_EQ(choice.value().version, "6.18.15");
	EXPECT_EQ(choice.value().package, image_package("6.18.15"));
}

TEST(KernelTable, NewestOfTheSeriesStandsInForAMissingOne)
{
	const auto choice = choose_kernel("6.18.15", {image_package("6.18.9"), image_package("6.18.12"),
						      image_package("6.19.14"), image_package("6.17.13")});
	EXPECT_EQ(choice.value().version, "6.18.12");  // 12 is newer than 9, and 6.19 is another series
}

TEST(KernelTable, BinaryPackageIsTakenWhereTheImagePackageIsEmpty)
{
	const auto choice = choose_kernel("7.3.4", {image_package("7.3.4"), binary_package("7.3.4")});
	EXPECT_EQ(choice.value().package, binary_package("7.3.4"));
}

TEST(KernelTable, EachSeriesHasTheSuiteThatOffersIt)
{
	EXPECT_EQ(suite_of_kernel("6.1.0-47"), "bookworm");
	EXPECT_EQ(suite_of_kernel("6.18.15"), "trixie-backports");
	const std::vector<std::string> offered = {"linux-image-6.1.0-47-cloud-amd64", "linux-image-cloud-amd64"};
	EXPECT_TRUE(is_offered("6.1.0-47", offered));
	EXPECT_FALSE(is_offered("6.1.0-4", offered));
	EXPECT_EQ(choose_kernel("6.1.0-40", offered).value().package, offered[0]);
}

TEST(KernelTable, OtherFlavoursAreNotMistaken)
{
	const auto choice = choose_kernel(
	    "6.18.15", {"linux-image-6.18.15+deb13-rt-amd64", "linux-image-6.18.15+deb13-cloud-amd64-dbg",
			"linux-image-6.18.15+deb13-amd64", "linux-image-cloud-amd64", "linux-headers-6.18.15"});
	ASSERT_FALSE(choice);
	EXPECT_EQ(choice.error().code, ExitCode::lacking);
}

TEST(KernelTable, VersionsCompareAsNumbers)
{
	EXPECT_TRUE(older_version("6.18.9", "6.18.15"));
	EXPECT_FALSE(older_version("6.18.15", "6.18.9"));
	EXPECT_FALSE(older_version("6.18.15", "6.18.15"));
	EXPECT_TRUE(older_version("6.18", "6.18.1"));
	EXPECT_TRUE(older_version("6.1.0-9", "6.1.0-47"));
	EXPECT_EQ(series_of("7.0.13"), "7.0");
}

void append_number(std::string* to, size_t number)
{
	const auto value = static_cast<uint32_t>(number);
	to->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// A bzImage as the boot protocol has it.
std::string bzimage_around(std::string compressed, size_t unpacked_bytes)
{
	append_number(&compressed, unpacked_bytes);
	constexpr size_t kSetupBytes = 1536;  // three sectors
	constexpr uint32_t kOffset = 64;
	std::string image(kSetupBytes + kOffset, '\0');
	image[0x1f1] = 2;  // sectors after the first
	std::memcpy(image.data() + 0x202, "HdrS", 4);
	std::memcpy(image.data() + 0x248, &kOffset, 4);
	const auto length = static_cast<uint32_t>(compressed.size());
	std::memcpy(image.data() + 0x24c, &length, 4);
	return image + compressed;
}

std::string bzimage_with(const std::string& payload)
{
	std::string compressed(ZSTD_compressBound(payload.size()), '\0');
	compressed.resize(ZSTD_compress(compressed.data(), compressed.size(), payload.data(), payload.size(), 1));
	return bzimage_around(compressed, payload.size());
}

// As `lz4 -l` packs it.
std::string lz4_of(std::string_view payload)
{
	std::string packed("\x02\x21\x4c\x18", 4);
	while (!payload.empty()) {
		const std::string_view block = payload.substr(0, 8UL << 20);
		std::string bytes(static_cast<size_t>(LZ4_compressBound(static_cast<int>(block.size()))), '\0');
		bytes.resize(static_cast<size_t>(LZ4_compress_default(
		    block.data(), bytes.data(), static_cast<int>(block.size()), static_cast<int>(bytes.size()))));
		append_number(&packed, bytes.size());
		packed += bytes;
		payload.remove_prefix(block.size());
	}
	return packed;
}

TEST(BzImage, GivesTheKernelInside)
{
	const std::string kernel =
	    "\x7f"
	    "ELF and more";
	const auto unpacked = unpack_kernel(bzimage_with(kernel));
	ASSERT_TRUE(unpacked) << unpacked.error().what;
	EXPECT_EQ(*unpacked, kernel);
}

TEST(BzImage, GivesTheKernelInsideOfBlocksOfLz4)
{
	std::string kernel(9UL << 20, '\0');
	for (size_t i = 0; i < kernel.size(); i++)
		kernel[i] = static_cast<char>(i * i >> 7);
	kernel.replace(0, 4,
		       "\x7f"
		       "ELF");
	const std::string packed = lz4_of(kernel);
	const auto unpacked = unpack_kernel(bzimage_around(packed, kernel.size()));
	ASSERT_TRUE(unpacked) << unpacked.error().what;
	EXPECT_EQ(*unpacked, kernel);
	EXPECT_FALSE(unpack_kernel(bzimage_around(packed, kernel.size() - 1)));  // one byte has no room
	EXPECT_FALSE(unpack_kernel(bzimage_around(packed.substr(0, packed.size() - 1), kernel.size())));
}

TEST(BzImage, WhatIsNotAKernelIsRefused)
{
	EXPECT_FALSE(unpack_kernel(bzimage_with("a text file")));
	EXPECT_FALSE(unpack_kernel(""));
	EXPECT_FALSE(unpack_kernel(std::string(4096, 'x')));
}

TEST(BzImage, PayloadOutsideOfTheFileIsRefused)
{
	const std::string good = bzimage_with(
	    "\x7f"
	    "ELF");
	for (size_t field : {0x248, 0x24c}) {
		std::string bad = good;
		std::memset(bad.data() + field, 0xff, 4);
		EXPECT_FALSE(unpack_kernel(bad)) << field;
	}
	for (size_t length = 0; length < good.size(); length += 7)
		EXPECT_FALSE(unpack_kernel(std::string_view(good).substr(0, length))) << length;
}

TEST(BzImage, DamagedPayloadIsRefused)
{
	std::string image = bzimage_with(
	    "\x7f"
	    "ELF" +
	    std::string(1000, 'k'));
	image[image.size() - 12] ^= 0x55;
	image[3 * 512 + 64 + 6] ^= 0x55;
	EXPECT_FALSE(unpack_kernel(image));
}

TEST(AptSources, OneLineForm)
{
	const std::string text =
	    "# deb http://old.example/debian bookworm main\n"
	    "deb-src http://source.example/debian bookworm main\n"
	    "deb [arch=amd64 signed-by=/x.gpg] http://mirror.example/debian/ bookworm main contrib # ours\n";
	EXPECT_EQ(debian_archive({{false, text}}), "http://mirror.example/debian");
}

TEST(AptSources, Deb822Form)
{
	const std::string text =
	    "Types: deb deb-src\n# a remark\nURIs: https://mirror.example/debian\n"
	    "Suites: trixie trixie-updates\nComponents:\n main\nSigned-By: /x.gpg\n";
	EXPECT_EQ(debian_archive({{true, text}}), "https://mirror.example/debian");
}

TEST(AptSources, SecurityArchiveAndDisabledEntriesDoNotCount)
{
	const std::string text =
	    "Types: deb\nURIs: http://a.example/debian-security\nSuites: bookworm-security\n"
	    "Components: main\n\n"
	    "Enabled: no\nTypes: deb\nURIs: http://b.example/debian\nSuites: bookworm\nComponents: main\n";
	EXPECT_EQ(debian_archive({{true, text}}), std::nullopt);
}

TEST(AptSources, ThirdPartyWithDebianSuiteNamesLosesAgainstTheMirror)
{
	const std::string third =
	    "deb https://packages.example/debian/12/prod bookworm main\n"
	    "deb https://tools.example/apt nodistro main\n";
	const std::string mirror = "deb http://mirror.example/debian bookworm main\n";
	EXPECT_EQ(debian_archive({{false, third}, {false, mirror}}), "http://mirror.example/debian");
}

TEST(AptSources, MirrorUnderAnotherPathIsBetterThanNone)
{
	EXPECT_EQ(debian_archive({{false, "deb http://proxy.example/deb13 trixie main\n"}}),
		  "http://proxy.example/deb13");
	EXPECT_EQ(debian_archive({}), std::nullopt);
	EXPECT_EQ(debian_archive({{true, ":::\n\n\n x"}, {false, "deb [unclosed\n deb\n"}}), std::nullopt);
}

}  // namespace
}  // namespace punctual
