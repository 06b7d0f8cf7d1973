// SPDX-License-Identifier: GPL-2.0-only
// The loader's view of a kernel, on type information made here.
#include "object/kernel_types.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/unit/object_kernel.h"

namespace punctual {
namespace {

TEST(KernelTypes, HiddenArgumentWithoutATwinIsBroken)
{
	FakeKernel kernel;
	kernel.ops({"enqueue"}).function("scx_bpf_create_dsq", {"dsq_id", "node", "aux"});
	EXPECT_TRUE(kernel.load().value().kfuncs_are_broken());
}

TEST(KernelTypes, HiddenArgumentInTheTwinIsHealthy)
{
	// As in 7.3: the visible function without it, the _impl twin with it.
	FakeKernel kernel;
	kernel.ops({"enqueue"})
	    .function("scx_bpf_create_dsq", {"dsq_id", "node"})
	    .function("scx_bpf_create_dsq_impl", {"dsq_id", "node", "aux"});
	EXPECT_FALSE(kernel.load().value().kfuncs_are_broken());
}

TEST(KernelTypes, OlderKernelsHaveNoHiddenArgument)
{
	FakeKernel kernel;
	kernel.ops({"enqueue"}).function("scx_bpf_create_dsq", {"dsq_id", "node"});
	EXPECT_FALSE(kernel.load().value().kfuncs_are_broken());
}

TEST(KernelTypes, KnowsTheMembersAndConstantsOfThisKernel)
{
	FakeKernel kernel;
	kernel.ops({"enqueue", "dispatch"}).constant("SCX_DSQ_LOCAL", 0x8000000000000002ULL).constant("UNRELATED", 7);
	const KernelTypes types = kernel.load().value();
	EXPECT_TRUE(types.ops_has_member("enqueue"));
	EXPECT_FALSE(types.ops_has_member("sub_attach"));
	EXPECT_EQ(types.constant("SCX_DSQ_LOCAL"), 0x8000000000000002ULL);
	EXPECT_EQ(types.constant("SCX_OPS_NEWER_THAN_THIS"), std::nullopt);
	EXPECT_EQ(types.constant("UNRELATED"), std::nullopt);
}

TEST(KernelTypes, KernelWithoutSchedExtSaysSo)
{
	const Result<KernelTypes> types = FakeKernel().load();
	ASSERT_FALSE(types);
	EXPECT_EQ(types.error().code, ExitCode::lacking);
	EXPECT_NE(types.error().what.find("CONFIG_SCHED_CLASS_EXT"), std::string::npos) << types.error().what;
}

TEST(KernelTypes, FileThatIsNoTypeInformationIsNamed)
{
	const TempDir dir = TempDir::create("punctual-test-").value();
	const std::filesystem::path path = dir.path() / "garbage";
	ASSERT_TRUE(replace_file(path, "this is no BTF"));
	const Result<KernelTypes> types = KernelTypes::load(path);
	ASSERT_FALSE(types);
	EXPECT_NE(types.error().what.find(path.native()), std::string::npos) << types.error().what;
}

}  // namespace
}  // namespace punctual
