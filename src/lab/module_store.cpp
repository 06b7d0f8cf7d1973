// SPDX-License-Identifier: GPL-2.0-only
#include "lab/module_store.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <sstream>

#include "base/file.h"
#include "base/file_lock.h"
#include "base/process.h"
#include "lab/apt.h"
#include "lab/checksum.h"
#include "lab/kernel_table.h"
#include "lab/module_info.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndex = "SHA256SUMS";  // of all files beside it, as sha256sum writes it; stored last

struct StoredModule {
	fs::path file;
	std::string checksum;
};
using Index = std::map<std::string, StoredModule>;  // by name

Result<Index> read_index(const fs::path& directory)
{
	std::istringstream lines(TRY(read_file(directory / kIndex)));
	Index index;
	for (std::string checksum, file; lines >> checksum >> file;)
		index[module_name(file)] = {directory / fs::path(file).filename(), checksum};
	return index;
}

Result<std::string> unpacked(const StoredModule& module)
{
	if (TRY(sha256(module.file)) != module.checksum)
		return fail(ExitCode::failed, "{} is damaged", module.file.native());
	if (module.file.extension() == ".ko")
		return read_file(module.file);
	auto run = run_captured({"xz", "-dc", "--", module.file.native()}, std::chrono::minutes(1));
	if (!run || run->status != 0)
		return fail(ExitCode::lacking, "cannot unpack {} (apt install xz-utils)", module.file.native());
	return std::move(run->out);
}

// Depth first, so that what a module needs comes before it. What has been begun is not begun again, so a circle ends.
class Collection {
 public:
	Collection(const Kernel& kernel, const Index& index) : kernel_(kernel), index_(index) {}

	Status add(const std::string& name)
	{
		const auto found = index_.find(name);
		if (found == index_.end())
			return fail(ExitCode::usage,
				    "kernel {} has no module '{}' (what is built in needs none; Debian's cloud "
				    "kernels lack many)",
				    kernel_.version, name);
		if (std::ranges::find(begun_, name) != begun_.end())
			return {};
		begun_.push_back(name);
		std::string contents = TRY(unpacked(found->second));
		for (const std::string& needed : TRY(module_dependencies(contents)))
			TRY(add(needed));
		modules_.push_back({name, std::move(contents)});
		return {};
	}

	std::vector<KernelModule> take() { return std::move(modules_); }

 private:
	const Kernel& kernel_;
	const Index& index_;
	std::vector<std::string> begun_;
	std::vector<KernelModule> modules_;
};

Result<std::vector<KernelModule>> load(const Kernel& kernel, const std::vector<std::string>& names,
				       const fs::path& directory)
{
	const Index index = TRY(read_index(directory));
	Collection collection(kernel, index);
	for (const std::string& name : names)
		TRY(collection.add(module_name(name)));
	return collection.take();
}

Status write_index(const fs::path& directory)
{
	std::vector<fs::path> files;
	std::error_code error;
	for (const auto& entry : fs::directory_iterator(directory, error))
		files.push_back(entry.path());
	std::ranges::sort(files);
	const std::vector<std::string> sums = TRY(sha256_of(files));
	std::string text;
	for (size_t i = 0; i < files.size(); i++)
		text += fmt::format("{}  {}\n", sums[i], files[i].filename().native());
	return replace_file(directory / kIndex, text);
}

Status fetch(const Kernel& kernel, const fs::path& cache, const fs::path& directory, const StoreListener& listener,
	     int stop_fd)
{
	const std::string_view suite = suite_of_kernel(kernel.version);
	AptState apt = TRY(AptState::open(cache / fmt::format("apt-{}", suite), suite, stop_fd));
	const std::string package = TRY(choose_modules(kernel.version, TRY(apt.kernel_packages(kernel.version))));
	const TempDir work = TRY(TempDir::create("punctual-modules-"));
	const fs::path archive = TRY(apt.download(package, work.path(), [&](double fraction) {
		if (listener.progress)
			listener.progress(fmt::format("modules of kernel {}", kernel.version), fraction);
	}));
	const fs::path fresh = directory.native() + ".new";
	std::error_code error;
	fs::remove_all(fresh, error);
	fs::create_directory(fresh, error);
	if (!error)
		TRY(extract_modules(archive, fresh));
	if (!error)
		TRY(write_index(fresh));
	if (!error)
		fs::remove_all(directory, error);
	if (!error)
		fs::rename(fresh, directory, error);
	if (error)
		return fail(ExitCode::failed, "cannot write {}: {}", directory.native(), error.message());
	return {};
}

}  // namespace

Result<std::vector<KernelModule>> find_modules(const Kernel& kernel, const std::vector<std::string>& names,
					       const fs::path& cache, const StoreListener& listener, int stop_fd)
{
	const fs::path directory = cache / fmt::format("modules-{}", kernel.version);
	const auto is_settled = [](const Result<std::vector<KernelModule>>& modules) {
		return modules || modules.error().code == ExitCode::usage;
	};
	if (names.empty())
		return std::vector<KernelModule>();
	if (auto modules = load(kernel, names, directory); is_settled(modules))
		return modules;
	const UniqueFd locked = TRY(lock_file(cache / "lock", stop_fd));
	if (auto modules = load(kernel, names, directory); is_settled(modules))  // fetched while we waited
		return modules;
	TRY(fetch(kernel, cache, directory, listener, stop_fd));
	return load(kernel, names, directory);
}

}  // namespace punctual
