// SPDX-License-Identifier: GPL-2.0-only
#include "lab/lab.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>

#include "base/units.h"
#include "lab/accelerator.h"
#include "lab/channel.h"
#include "lab/file_tree.h"
#include "lab/image.h"
#include "lab/machine.h"
#include "lab/module_store.h"
#include "lab/root_store.h"
#include "lab/snapshot.h"
#include "lab/watch.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr int kSnapshotTries = 3;

struct Image {
	UniqueFd file;
	size_t hash;
};

Result<Image> write_image(const FileTree& tree)
{
	UniqueFd file(::memfd_create("punctual-initrd", MFD_CLOEXEC));
	if (!file)
		return fail_errno(errno, ExitCode::failed, "cannot create the lab's root file system");
	std::string bytes;
	TRY(tree.write([&](std::string_view piece) { bytes.append(piece); }));
	for (std::string_view rest = bytes; !rest.empty();) {
		const ssize_t written = ::write(file.get(), rest.data(), rest.size());
		if (written < 0 && errno != EINTR)
			return fail_errno(errno, ExitCode::failed, "cannot write the lab's root file system");
		rest.remove_prefix(static_cast<size_t>(std::max<ssize_t>(written, 0)));
	}
	return Image{std::move(file), std::hash<std::string>{}(bytes)};
}

Status check_options(const LabOptions& options)
{
	if (options.cpus < 1 || options.cpus > 64)
		return fail(ExitCode::usage, "a lab guest has 1 to 64 CPUs, not {}", options.cpus);
	if (options.caches < 1 || options.cpus % options.caches != 0)
		return fail(ExitCode::usage,
			    "{} CPUs cannot share {} caches: each has the same number of them, at least one",
			    options.cpus, options.caches);
	if (options.memory_bytes < 256UL << 20 || options.memory_bytes > 64UL << 30)
		return fail(ExitCode::usage, "a lab guest has 256M to 64G of memory, not {}M",
			    options.memory_bytes >> 20);
	if (!options.packages.empty() && options.root.empty())
		return fail(ExitCode::usage, "--package needs a root to put it into (--root bookworm)");
	if (options.settle > std::chrono::hours(1))
		return fail(ExitCode::usage, "a lab guest settles for at most an hour, not {}",
			    format_duration(options.settle));
	return {};
}

// A guest of `spec` that has booted and settled; made if there is none yet. nullopt when that cannot be, for
// whatever reason: then the run boots by itself, and says what is wrong if something is.
std::optional<Snapshot> find_snapshot(MachineSpec spec, std::string_view contents, const fs::path& cache,
				      const LabOptions& options)
{
	spec.console.clear();
	const auto identity = machine_identity(spec);
	if (!identity)
		return std::nullopt;
	const auto slot = SnapshotSlot::lock(cache, fmt::format("{}\n{}", *identity, contents), options.stop_fd);
	if (!slot)
		return std::nullopt;
	if (auto snapshot = slot->load())
		return snapshot;
	for (int i = 0; i < kSnapshotTries; i++) {
		auto fresh = slot->begin();
		auto channel = Channel::create();
		if (!fresh || !channel)
			return std::nullopt;
		spec.channel_fd = channel->fd();
		auto machine = Machine::start(spec);
		if (!machine)
			return std::nullopt;
		const LabListener silent;
		Watch watch(options, silent, std::move(*channel), std::move(*machine), false);
		const auto saved = watch.save_when_ready(fresh->state.get());
		if (!saved)
			return std::nullopt;
		if (!*saved)
			continue;
		fresh->console = **saved;
		if (!slot->commit(*fresh))
			return std::nullopt;
		return slot->load();
	}
	return std::nullopt;
}

// The guest's memory of the time of day may be as old as its snapshot.
std::string realtime_now()
{
	const auto now = std::chrono::system_clock::now().time_since_epoch();
	return fmt::format("{}", std::chrono::nanoseconds(now).count());
}

}  // namespace

Result<LabResult> run_in_lab(const LabOptions& options, const std::vector<std::string>& argv,
			     const LabListener& listener)
{
	TRY(check_options(options));
	const bool in_root = !options.root.empty();
	const fs::path cache = TRY(lab_cache());
	std::optional<Root> root;  // until its archive was read
	if (in_root)
		root.emplace(TRY(find_root(options.root, options.packages, cache, listener.store, options.stop_fd)));
	const FileTree base = TRY(in_root ? root_base_tree(root->archive) : base_tree());
	FileTree job = TRY(job_tree({argv, options.environment, options.include, options.files, in_root}, base));
	const bool wall = options.time == LabTime::wall;
	TRY(check_qemu(wall ? Accelerator::emulated : Accelerator::virtual_time, options.cpus));
	const Kernel kernel = TRY(find_kernel(options.kernel, cache, listener.store, options.stop_fd));
	add_modules(job, TRY(find_modules(kernel, options.modules, cache, listener.store, options.stop_fd)));
	const Image image = TRY(write_image(base));

	MachineSpec spec;
	spec.kernel = kernel.vmlinux;
	spec.initrd_fd = image.file.get();
	spec.cpus = options.cpus;
	spec.caches = options.caches;
	spec.memory_bytes = options.memory_bytes;
	spec.settle = options.settle;
	spec.console = options.console;
	spec.accelerator = wall ? TRY(wall_accelerator(spec, cache)) : Accelerator::virtual_time;
	std::optional<Snapshot> snapshot;
	spec.saveable = spec.accelerator != Accelerator::kvm && can_save_machines();
	if (spec.saveable)  // KVM boots as quickly
		snapshot = find_snapshot(spec, fmt::format("{} {:x}", kernel.checksum, image.hash), cache, options);

	Channel channel = TRY(Channel::create());
	if (wall)
		job.add_text(kGuestRealtime, realtime_now());
	std::string archive;
	TRY(job.write([&](std::string_view piece) { archive.append(piece); }));
	spec.channel_fd = channel.fd();
	if (snapshot) {
		spec.state_fd = snapshot->state.get();
		spec.console_before = snapshot->console;
	} else {
		TRY(channel.put_job(archive));
	}
	Machine machine = TRY(Machine::start(spec));
	if (snapshot) {  // loading it has overwritten the channel
		TRY(channel.put_job(archive));
		TRY(machine.resume());
	}
	LabResult result =
	    TRY(Watch(options, listener, std::move(channel), std::move(machine), snapshot.has_value()).until_ended());
	result.kernel = kernel.version;
	return result;
}

}  // namespace punctual
