// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"
#include "lab/checksum.h"
#include "lab/kernel_table.h"
#include "lab/module_info.h"
#include "lab/module_store.h"

namespace punctual {
namespace {

// A relocatable file with two sections: the names, and .modinfo with `info`.
std::string module_file(std::string_view info)
{
	const std::string names{"\0.shstrtab\0.modinfo\0", 20};
	Elf64_Ehdr header{};
	std::memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_shentsize = sizeof(Elf64_Shdr);
	header.e_shnum = 3;
	header.e_shstrndx = 1;
	header.e_shoff = sizeof(header) + names.size() + info.size();
	Elf64_Shdr sections[3]{};
	sections[1].sh_name = 1;
	sections[1].sh_offset = sizeof(header);
	sections[1].sh_size = names.size();
	sections[2].sh_name = 11;
	sections[2].sh_offset = sizeof(header) + names.size();
	sections[2].sh_size = info.size();
	std::string file(reinterpret_cast<const char*>(&header), sizeof(header));
	file.append(names).append(info);
	return file.append(reinterpret_cast<const char*>(sections), sizeof(sections));
}

std::string depends_on(std::string_view names)
{
	return module_file(fmt::format("license=GPL{0}depends={1}{0}name=x{0}", '\0', names));
}

TEST(ModuleInfo, ANameIsTheSameWithDashesAndAsAFile)
{
	EXPECT_EQ(module_name("nf-tables"), "nf_tables");
	EXPECT_EQ(module_name("nf-tables.ko.xz"), "nf_tables");
	EXPECT_EQ(module_name("veth.ko"), "veth");
}

TEST(ModuleInfo, DependenciesAreNamedByTheModuleItself)
{
	EXPECT_EQ(module_dependencies(depends_on("a-b,c")).value(), (std::vector<std::string>{"a_b", "c"}));
	EXPECT_TRUE(module_dependencies(depends_on("")).value().empty());
}

TEST(ModuleInfo, WhatIsCutOffIsNoModule)
{
	const std::string whole = depends_on("a,b");
	for (size_t size = 0; size < whole.size(); size++)
		EXPECT_FALSE(module_dependencies(std::string_view(whole).substr(0, size))) << size;
	EXPECT_FALSE(
	    module_dependencies("\xfd"
				"7zXZ"));
}

TEST(KernelTable, ModulesAreInAPackageOfTheirOwnWhereTheImageIsToo)
{
	constexpr const char* kOld = "linux-image-6.18.15+deb13-cloud-amd64";
	constexpr const char* kNew = "linux-modules-7.3.4+deb13-cloud-amd64";
	const std::vector<std::string> offered = {
	    kOld, "linux-image-7.3.4+deb13-cloud-amd64",  "linux-binary-7.3.4+deb13-cloud-amd64",
	    kNew, "linux-image-7.0.13+deb13-cloud-amd64", "linux-binary-7.0.13+deb13-cloud-amd64"};
	EXPECT_EQ(choose_modules("6.18.15", offered).value(), kOld);
	EXPECT_EQ(choose_modules("7.3.4", offered).value(), kNew);
	EXPECT_EQ(choose_modules("7.0.13", offered).error().code, ExitCode::lacking);  // its image package is empty
	EXPECT_EQ(choose_modules("6.18.9", offered).error().code, ExitCode::lacking);  // no other version stands in
}

// A cache as if the modules of kernel 1.2.3 had been fetched.
class ModuleStore : public testing::Test {
 protected:
	void SetUp() override
	{
		std::filesystem::create_directory(directory_);
		put("first", "second,third");
		put("second", "third");
		put("third", "first");  // a circle
		std::string sums;
		for (const char* name : {"first", "second", "third"})
			sums += fmt::format("{}  {}.ko\n", sha256(file(name)).value(), name);
		ASSERT_TRUE(replace_file(directory_ / "SHA256SUMS", sums));
	}

	std::filesystem::path file(const std::string& name) const { return directory_ / (name + ".ko"); }
	void put(const std::string& name, std::string_view needed)
	{
		ASSERT_TRUE(replace_file(file(name), depends_on(needed)));
	}
	Result<std::vector<KernelModule>> find(const std::vector<std::string>& names) const
	{
		return find_modules({"1.2.3", "", ""}, names, work_.path(), {});
	}

	TempDir work_ = *TempDir::create("lab-modules-");
	std::filesystem::path directory_ = work_.path() / "modules-1.2.3";
};

TEST_F(ModuleStore, WhatAModuleNeedsComesBeforeItAndOnce)
{
	const auto modules = find({"second", "first"}).value();
	std::vector<std::string> names;
	for (const KernelModule& module : modules)
		names.push_back(module.name);
	EXPECT_EQ(names, (std::vector<std::string>{"first", "third", "second"}));
	EXPECT_EQ(modules[0].contents, depends_on("second,third"));
}

TEST_F(ModuleStore, AnUnknownNameIsRefusedByName)
{
	const auto modules = find({"third", "fourth"});
	ASSERT_FALSE(modules);
	EXPECT_EQ(modules.error().code, ExitCode::usage);
	EXPECT_NE(modules.error().what.find("'fourth'"), std::string::npos);
}

TEST_F(ModuleStore, NothingIsAskedForWhenNoModuleIs)
{
	EXPECT_TRUE(find_modules({"9.9.9", "", ""}, {}, "/nowhere", {}).value().empty());
}

}  // namespace
}  // namespace punctual
