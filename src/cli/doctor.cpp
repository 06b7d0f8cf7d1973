// SPDX-License-Identifier: GPL-2.0-only
// punctual doctor: looks at the machine and says what stands in the way, with the remedy for each thing.
// It only looks: nothing is loaded, mounted or changed. What it thinks of the facts is in doctor_checks.
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include "base/cgroup.h"
#include "base/file.h"
#include "base/process.h"
#include "cli/commands.h"
#include "cli/doctor_checks.h"
#include "object/kernel_types.h"
#include "object/libbpf_version.h"

namespace punctual {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kTypeInfo = "/sys/kernel/btf/vmlinux";

// CONFIG_SCHED_CLASS_EXT as the distribution or the kernel itself keeps it.
std::optional<bool> sched_ext_configured(const std::string& release)
{
	Result<std::string> config = read_file("/boot/config-" + release);
	if (!config) {
		Result<Captured> unpacked = run_captured({"gzip", "-dc", "/proc/config.gz"}, 10s);
		if (!unpacked || unpacked->status != 0)
			return std::nullopt;
		config = std::move(unpacked->out);
	}
	return config->find("\nCONFIG_SCHED_CLASS_EXT=y\n") != std::string::npos;
}

KernelTypeInfo type_info()
{
	if (::access(kTypeInfo, R_OK) != 0)
		return KernelTypeInfo::absent;
	const Result<KernelTypes> types = KernelTypes::load(kTypeInfo);
	if (!types)
		return KernelTypeInfo::without_sched_ext;
	return types->kfuncs_are_broken() ? KernelTypeInfo::broken_kfuncs : KernelTypeInfo::healthy;
}

// The line "CapEff:	000001ffffffffff" of a /proc/PID/status.
std::optional<uint64_t> effective_capabilities()
{
	constexpr std::string_view kKey = "\nCapEff:\t";
	const std::string status = read_file("/proc/self/status").value_or("");
	const size_t at = status.find(kKey);
	uint64_t bits = 0;
	if (at == std::string::npos)
		return std::nullopt;
	std::from_chars(status.data() + at + kKey.size(), status.data() + status.size(), bits, 16);
	return bits;
}

std::optional<int> bpf_jit()
{
	const Result<std::string> text = read_line("/proc/sys/net/core/bpf_jit_enable");
	return text ? std::optional(std::atoi(text->c_str())) : std::nullopt;
}

std::string loaded_scheduler_name()
{
	const Result<std::string> state = read_line("/sys/kernel/sched_ext/state");
	if (!state || *state == "disabled")
		return "";
	return read_line("/sys/kernel/sched_ext/root/ops").value_or("a scheduler (" + *state + ")");
}

// The first "N.N..." in what PROGRAM --version prints; empty when it cannot be run.
std::string version_of(const char* program)
{
	const Result<Captured> run = run_captured({program, "--version"}, 10s);
	constexpr std::string_view kKey = "version ";
	const size_t at = run ? run->out.find(kKey) : std::string::npos;
	if (at == std::string::npos)
		return "";
	const size_t begin = at + kKey.size();
	return run->out.substr(begin, run->out.find_first_not_of("0123456789.", begin) - begin);
}

std::string newest_clang()
{
	for (const char* program : {"clang-21", "clang-20", "clang-19", "clang-18", "clang-17"})
		if (!version_of(program).empty())
			return program;
	const std::string version = version_of("clang");
	return version.empty() ? "" : "clang-" + version;
}

MachineFacts look_at_this_machine()
{
	MachineFacts facts;
	utsname name{};
	if (::uname(&name) == 0)
		facts.kernel_release = name.release;
	facts.sched_ext_present = fs::exists("/sys/kernel/sched_ext");
	facts.sched_ext_configured = sched_ext_configured(facts.kernel_release);
	facts.kernel_command_line = read_line("/proc/cmdline").value_or("");
	facts.type_info = type_info();
	facts.bpf_jit = bpf_jit();
	facts.libbpf_version = libbpf_version();
	facts.clang = newest_clang();
	facts.capabilities = effective_capabilities();
	if (const Result<fs::path> mount = cgroup2_mount()) {
		facts.cgroup2_mount = mount->native();
		const std::string offered = " " + read_line(*mount / "cgroup.controllers").value_or("") + " ";
		facts.cgroup_cpu_controller = offered.find(" cpu ") != std::string::npos;
	}
	facts.loaded_scheduler = loaded_scheduler_name();
	facts.qemu_version = version_of("qemu-system-x86_64");
	facts.kvm_usable = ::access("/dev/kvm", R_OK | W_OK) == 0;
	return facts;
}

const char* level_text(Level level)
{
	switch (level) {
	case Level::ok:
		return "ok";
	case Level::warn:
		return "warn";
	case Level::fail:
		break;
	}
	return "fail";
}

const char* purpose_text(Purpose purpose)
{
	switch (purpose) {
	case Purpose::native:
		return "native";
	case Purpose::lab:
		return "lab";
	case Purpose::building:
		break;
	}
	return "building";
}

void print_text(const std::vector<Check>& checks)
{
	for (const Check& check : checks)
		fmt::print("{:<4}  {:<12}  {}{}{}\n", level_text(check.level), check.name, check.finding,
			   check.remedy.empty() ? "" : "; remedy: ", check.remedy);
	fmt::print("{}\n", verdict(checks));
}

void print_json(const std::vector<Check>& checks, const MachineFacts& facts)
{
	Json list = Json::array();
	for (const Check& check : checks)
		list.push_back({{"name", check.name},
				{"purpose", purpose_text(check.purpose)},
				{"level", level_text(check.level)},
				{"finding", check.finding},
				{"remedy", check.remedy}});
	const Json document = {{"schema", "punctual.doctor"},
			       {"version", 1},
			       {"kernel", facts.kernel_release},
			       {"native_ready", is_ready(checks, Purpose::native)},
			       {"lab_ready", is_ready(checks, Purpose::lab)},
			       {"checks", list}};
	// A kernel command line is bytes, JSON is UTF-8: replace what is not.
	fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

Action setup_doctor(CLI::App& app)
{
	auto json = std::make_shared<bool>(false);
	app.add_flag("-j,--json", *json, "print one JSON document (schema punctual.doctor)");
	app.footer("Exit status: 0 this machine can run punctual natively, 3 something stands in the way.");
	return [json]() -> Result<ExitCode> {
		const MachineFacts facts = look_at_this_machine();
		const std::vector<Check> checks = examine(facts);
		if (*json)
			print_json(checks, facts);
		else
			print_text(checks);
		return is_ready(checks, Purpose::native) ? ExitCode::ok : ExitCode::lacking;
	};
}

}  // namespace punctual
