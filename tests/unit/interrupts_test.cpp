// SPDX-License-Identifier: GPL-2.0-only
#include "base/interrupts.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

constexpr const char* kText =
    "           CPU0       CPU2       \n"
    "  1:          0          9  IO-APIC   1-edge      i8042\n"
    " 24:        100          7  PCI-MSIX-0000:00:02.0   1-edge      virtio1-input.0\n"
    " 25:          0          0  PCI-MSIX-0000:00:02.0   2-edge      virtio1-output.0\n"
    "LOC:     123456     654321   Local timer interrupts\n"
    "ERR:          0\n";

TEST(Interrupts, OfDevicesAreCountedOnTheCpusOfTheirColumns)
{
	const std::vector<Interrupt> interrupts = parse_interrupts(kText);
	ASSERT_EQ(interrupts.size(), 2U);  // neither those that never came nor the CPU's own timer
	EXPECT_EQ(interrupts[0].name, "1 i8042");
	EXPECT_EQ(interrupts[1].name, "24 virtio1-input.0");
	// The second column is CPU 2: a CPU that is offline has none.
	EXPECT_EQ(interrupts[1].count_on(*CpuList::parse("2")), 7U);
	EXPECT_EQ(interrupts[1].count_on(*CpuList::parse("0-3")), 107U);
	EXPECT_EQ(interrupts[0].count_on(*CpuList::parse("0-1")), 0U);
}

TEST(Interrupts, NonsenseIsLeftOut)
{
	for (const char* text : {"", "\n", "no table", "CPU0\n 5:", "CPU0\n 5: x\n", "CPUx\n 1: 5 a b\n", ":\n:\n"})
		EXPECT_TRUE(parse_interrupts(text).empty()) << text;
}

}  // namespace
}  // namespace punctual
