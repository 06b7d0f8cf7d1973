// SPDX-License-Identifier: GPL-2.0-only
// A kernel's type information made by hand: kernels that nobody has at hand become files.
#pragma once

#include <initializer_list>
#include <string>

#include <bpf/btf.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "object/kernel_types.h"

namespace punctual {

class FakeKernel {
 public:
	FakeKernel() = default;
	~FakeKernel() { btf__free(btf_); }
	FakeKernel(const FakeKernel&) = delete;
	FakeKernel& operator=(const FakeKernel&) = delete;

	// struct sched_ext_ops with these members; their types do not matter.
	FakeKernel& ops(std::initializer_list<const char*> members)
	{
		btf__add_struct(btf_, "sched_ext_ops", 8 * members.size());
		uint32_t bit = 0;
		for (const char* member : members)
			btf__add_field(btf_, member, number_, 64 * bit++, 0);
		return *this;
	}
	FakeKernel& constant(const char* name, uint64_t value)
	{
		btf__add_enum64(btf_, (std::string("of_") + name).c_str(), 8, false);
		btf__add_enum64_value(btf_, name, value);
		return *this;
	}
	FakeKernel& function(const char* name, std::initializer_list<const char*> parameters)
	{
		int proto = btf__add_func_proto(btf_, number_);
		for (const char* parameter : parameters)
			btf__add_func_param(btf_, parameter, number_);
		btf__add_func(btf_, name, BTF_FUNC_STATIC, proto);
		return *this;
	}

	// As the loader reads it: through a file.
	Result<KernelTypes> load() const
	{
		TempDir dir = TempDir::create("punctual-test-").value();
		uint32_t size = 0;
		const auto* bytes = static_cast<const char*>(btf__raw_data(btf_, &size));
		EXPECT_TRUE(replace_file(dir.path() / "vmlinux", {bytes, size}));
		return KernelTypes::load(dir.path() / "vmlinux");
	}

 private:
	struct btf* btf_ = btf__new_empty();
	int number_ = btf__add_int(btf_, "int", 4, BTF_INT_SIGNED);
};

}  // namespace punctual
