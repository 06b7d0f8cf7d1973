// SPDX-License-Identifier: GPL-2.0-only
// Whatever is in a file that should be one of our documents ends in an error, and none gets out as an exception.
#include "base/json_document.h"

#include <array>

#include <gtest/gtest.h>

namespace punctual {
namespace {

enum class Light : uint8_t { red, green };
constexpr std::array kLights = {Light::red, Light::green};

std::string_view light_name(Light light)
{
	return light == Light::red ? "red" : "green";
}

Result<Light> read_light(std::string_view text)
{
	return read_json_document(text, "lights", 2, [](const nlohmann::ordered_json& json) {
		return read_json_name(json, "light", kLights, light_name);
	});
}

TEST(JsonDocument, NameIsReadAsItsValue)
{
	const Result<Light> light = read_light(R"({"schema": "lights", "version": 2, "light": "green"})");
	ASSERT_TRUE(light) << light.error().what;
	EXPECT_EQ(*light, Light::green);
}

TEST(JsonDocument, AnythingElseIsAnError)
{
	for (const char* text :
	     {"", "{", "[]", "null", "\xff", R"({"version": 2, "light": "red"})",
	      R"({"schema": "lights", "light": "red"})", R"({"schema": "lights", "version": 1, "light": "red"})",
	      R"({"schema": "lamps", "version": 2, "light": "red"})", R"({"schema": "lights", "version": 2})",
	      R"({"schema": "lights", "version": 2, "light": 1})"}) {
		const Result<Light> light = read_light(text);
		ASSERT_FALSE(light) << text;
		EXPECT_EQ(light.error().code, ExitCode::failed) << text;
	}
}

TEST(JsonDocument, ErrorNamesWhatWasReadAndWhatWasWanted)
{
	EXPECT_EQ(read_light(R"({"schema": "lights", "version": 2, "light": "blue"})").error().what,
		  "its light is 'blue', which is none");
	EXPECT_EQ(read_light(R"({"schema": "lights", "version": 3})").error().what,
		  "it is not a lights document of version 2");
}

}  // namespace
}  // namespace punctual
