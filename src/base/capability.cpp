// SPDX-License-Identifier: GPL-2.0-only
#include "base/capability.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace punctual {
namespace {

bool has(unsigned capability)
{
	__user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	__user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	if (::syscall(SYS_capget, &header, data) != 0)
		return false;
	return ((data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0);
}

}  // namespace

bool may_trace_by_bpf()
{
	return has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON));
}

bool may_open_bpf_of_others()
{
	return has(CAP_SYS_ADMIN);
}

}  // namespace punctual
