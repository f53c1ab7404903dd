// SPDX-License-Identifier: Apache-2.0
#include "record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "books.h"
#include "session.h"
#include "sha256.h"
#include "write.h"

namespace aclq::trace {
namespace {

bool makeDirectory(const std::string& path) {
    return mkdir(path.c_str(), 0777) == 0 || errno == EEXIST;
}

bool writeAll(int file, const void* data, std::size_t size) {
    const auto* from = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t wrote = ::write(file, from, size);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            return false;
        }
        from += wrote;
        size -= static_cast<std::size_t>(wrote);
    }
    return true;
}

// Copies memory of the device, or of the host where kernels use it in place; says why it could not.
std::string fetch(std::uint64_t address, std::size_t size, std::vector<char>& into) {
    into.resize(size);
    auto* const from = reinterpret_cast<void*>(address);
    if (std::string_view(placeOf(address)) == "host") {
        std::memcpy(into.data(), from, size);
        return "";
    }
    const auto copy = ACLQ_REAL(aclrtMemcpy);
    if (copy == nullptr) {
        return "no library has aclrtMemcpy";
    }
    const aclError status = copy(into.data(), size, from, size, ACL_MEMCPY_DEVICE_TO_HOST);
    if (status == 0) {
        return "";
    }
    std::string why = takeErrorText();
    why = why.substr(0, why.find('\n'));
    return "aclrtMemcpy: " + std::to_string(status) + " " + codeName(status) + (why.empty() ? "" : ": " + why);
}

void appendKeptValue(std::string& line, const Argument& argument) {
    // The bits of a plain value, as text that gives them back exactly.
    Function plain{};
    plain.parameters = argument.parameter;
    plain.count = 1;
    std::uint64_t value = argument.bits;
    const Call call(plain, &value);
    if (argument.parameter->kind == Kind::Enum) {
        appendNumber(line, static_cast<std::int64_t>(static_cast<std::int32_t>(value)));
    } else if (argument.parameter->kind == Kind::Text && value != 0) {
        appendQuoted(line, argument.text);
    } else {
        appendValue(line, call, 0, true);
    }
}

}  // namespace

std::string commandLine() {
    std::string text;
    const int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    char buffer[4096];
    const ssize_t got = file < 0 ? 0 : read(file, buffer, sizeof buffer);
    if (file >= 0) {
        close(file);
    }
    for (ssize_t i = 0; i + 1 < got; ++i) {
        text += buffer[i] == '\0' ? ' ' : buffer[i];
    }
    return text;
}

Recorder::Recorder(std::string directory, const std::string& limit, std::string& error)
    : directory_(std::move(directory)) {
    if (!limit.empty()) {
        const auto read = std::from_chars(limit.data(), limit.data() + limit.size(), limit_);
        if (read.ec != std::errc{} || read.ptr != limit.data() + limit.size()) {
            error = "limit: got '" + limit + "'; allowed: a number of bytes";
            return;
        }
    }
    if (!makeDirectory(directory_) || !makeDirectory(directory_ + "/blobs")) {
        error = "record: cannot make the directory '" + directory_ + "': " + std::strerror(errno);
    }
}

bool Recorder::openFile() {
    const int process = getpid();
    if (file_ >= 0 && process_ == process) {
        return true;
    }
    if (file_ >= 0) {
        close(file_);  // the parent's; both have it open
    }
    // A file may be there from another process of this number: in another container, or before an exec.
    const std::string stem = directory_ + "/calls-" + std::to_string(process);
    std::string path = stem + ".jsonl";
    const auto create = [&] { return open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666); };
    file_ = create();
    for (int copy = 2; file_ < 0 && errno == EEXIST; ++copy) {
        path = stem + "-" + std::to_string(copy) + ".jsonl";
        file_ = create();
    }
    process_ = process;
    if (file_ < 0) {
        std::fprintf(stderr, "aclquant record: cannot open '%s': %s\n", path.c_str(), std::strerror(errno));
        return false;
    }
    std::string line = "{\"event\":\"start\",\"format\":\"aclquant-recording\",\"version\":1,\"pid\":";
    appendNumber(line, static_cast<std::int64_t>(process));
    line += ",\"command\":";
    appendQuoted(line, commandLine());
    const auto soc = ACLQ_REAL(aclrtGetSocName);
    const char* const name = soc == nullptr ? nullptr : soc();
    line += ",\"soc\":";
    appendQuoted(line, name == nullptr ? "" : name);
    const auto version = ACLQ_REAL(aclsysGetCANNVersion);
    aclCANNPackageVersion package{};
    line += ",\"cann\":";
    appendQuoted(line, version != nullptr && version(ACL_PKG_NAME_CANN, &package) == 0 ? package.version : "");
    line += '}';
    append(std::move(line));
    return true;
}

// Each line carries the CRC of what stands before it, as its last field.
void Recorder::append(std::string line) {
    line.pop_back();
    char crc[32];
    std::snprintf(crc, sizeof crc, ",\"crc32\":\"%08x\"}\n", crc32(line.data(), line.size()));
    line += crc;
    if (!writeAll(file_, line.data(), line.size()) && !full_) {
        full_ = true;
        std::fprintf(stderr, "aclquant record: writing to '%s' failed: %s; the recording ends here\n",
                     directory_.c_str(), std::strerror(errno));
    }
}

std::string Recorder::store(const void* data, std::size_t size, std::string& error) {
    const std::string hash = sha256(data, size);
    const std::string folder = directory_ + "/blobs/" + hash.substr(0, 2);
    const std::string path = folder + "/" + hash;
    if (access(path.c_str(), F_OK) == 0) {
        return hash;
    }
    const std::string temporary = directory_ + "/blobs/writing-" + std::to_string(getpid());
    makeDirectory(folder);
    const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    const bool wrote = file >= 0 && writeAll(file, data, size);
    const int why = errno;
    if (file >= 0) {
        close(file);
    }
    if (!wrote || std::rename(temporary.c_str(), path.c_str()) != 0) {
        error = std::string("cannot be written: ") + std::strerror(wrote ? errno : why);
        unlink(temporary.c_str());
        return "";
    }
    return hash;
}

std::string Recorder::arguments(const ExecutorEntry& entry, bool withMemory) {
    std::string line = "[";
    const auto addTensor = [&](const Tensor& tensor) {
        openTensorJson(line, tensor);
        const auto hull = hullOf(tensor);
        std::string missing, hash;
        if (!hull) {
            missing = "the numbers of this tensor make no sense";
        } else {
            line += ",\"first\":";
            appendNumber(line, hull->first);
            line += ",\"bytes\":";
            appendNumber(line, hull->size);
            const auto size = static_cast<std::uint64_t>(hull->size);
            if (!withMemory) {
                missing = "not recorded: the call was refused, or a graph is being captured";
            } else if (size > limit_) {
                missing = "larger than the limit of " + std::to_string(limit_) + " bytes";
            } else {
                std::vector<char> bytes;
                missing = size == 0 ? "" : fetch(tensor.data + static_cast<std::uint64_t>(hull->first), size, bytes);
                if (missing.empty()) {
                    hash = store(bytes.data(), bytes.size(), missing);
                }
            }
        }
        if (missing.empty()) {
            line += ",\"blob\":\"" + hash + "\"}";
        } else {
            line += ",\"missing\":";
            appendQuoted(line, missing);
            line += '}';
        }
    };
    for (const Argument& argument : entry.arguments) {
        line += line.size() > 1 ? "," : "";
        line += "{\"name\":\"";
        line += argument.parameter->name;
        line += "\",\"type\":\"";
        line += argument.parameter->type;
        line += "\",\"value\":";
        if (const auto* const tensor = std::get_if<Tensor>(&argument.object)) {
            addTensor(*tensor);
        } else if (const auto* const scalar = std::get_if<Scalar>(&argument.object)) {
            appendScalar(line, *scalar, true);
        } else if (const auto* const array = std::get_if<Array>(&argument.object)) {
            appendArray(line, *array);
        } else if (const auto* const members = std::get_if<4>(&argument.object)) {
            line += '[';
            for (std::size_t i = 0; i < members->size(); ++i) {
                line += i == 0 ? "" : ",";
                if ((*members)[i].second) {
                    addTensor(*(*members)[i].second);
                } else {
                    line += "null";
                }
            }
            line += ']';
        } else if (const auto* const scalars = std::get_if<5>(&argument.object)) {
            line += '[';
            for (std::size_t i = 0; i < scalars->size(); ++i) {
                line += i == 0 ? "" : ",";
                if ((*scalars)[i]) {
                    appendScalar(line, *(*scalars)[i], true);
                } else {
                    line += "null";
                }
            }
            line += ']';
        } else {
            appendKeptValue(line, argument);
        }
        line += '}';
    }
    return line + "]";
}

void Recorder::refused(const Call& phaseOne) {
    ExecutorEntry entry;
    entry.arguments = keepArguments(phaseOne);
    const std::lock_guard lock(mutex_);
    if (!openFile()) {
        return;
    }
    std::string line = "{\"event\":\"refused\",\"call\":";
    appendNumber(line, ++count_);
    line += ",\"operator\":\"";
    line += phaseOne.function.phaseTwo->name;
    line += "\",\"status\":";
    appendNumber(line, static_cast<std::int64_t>(phaseOne.status()));
    line += ",\"error\":";
    appendQuoted(line, phaseOne.error);
    line += ",\"arguments\":" + arguments(entry, false) + "}";
    append(std::move(line));
}

void Recorder::begin(Call& phaseTwo) {
    const std::uint64_t stream = phaseTwo.values[3];
    const bool captured = isCapturing(stream);
    if (!captured) {
        // What is queued before may write what this call reads.
        const auto synchronize = ACLQ_REAL(aclrtSynchronizeStream);
        const aclError status = synchronize == nullptr ? 0 : synchronize(reinterpret_cast<aclrtStream>(stream));
        if (status != 0) {
            phaseTwo.error = takeErrorText();
        }
    }
    const std::lock_guard lock(mutex_);
    if (!openFile()) {
        return;
    }
    phaseTwo.record = ++count_;
    std::string line = "{\"event\":\"begin\",\"call\":";
    appendNumber(line, phaseTwo.record);
    line += ",\"operator\":\"";
    line += phaseTwo.function.name;
    line += "\",\"stream\":\"";
    appendHex(line, stream);
    line += "\",\"time\":";
    appendNumber(line, now());
    line += ",\"workspace\":";
    appendNumber(line, phaseTwo.values[1]);
    line += captured ? ",\"captured\":true" : "";
    line += ",\"arguments\":" + arguments(*phaseTwo.executor, !captured) + "}";
    append(std::move(line));
}

void Recorder::end(Call& phaseTwo) {
    const bool captured = isCapturing(phaseTwo.values[3]);
    const std::lock_guard lock(mutex_);
    if (!openFile()) {
        return;
    }
    std::string line = "{\"event\":\"end\",\"call\":";
    appendNumber(line, phaseTwo.record);
    line += ",\"status\":";
    appendNumber(line, static_cast<std::int64_t>(phaseTwo.status()));
    line += ",\"duration\":";
    appendNumber(line, phaseTwo.end - phaseTwo.start);
    if (!phaseTwo.error.empty()) {
        line += ",\"error\":";
        appendQuoted(line, phaseTwo.error);
    }
    // The memory of all tensors again, inputs too: a call that writes where it should not is seen.
    line += ",\"after\":" + arguments(*phaseTwo.executor, !captured) + "}";
    append(std::move(line));
}

}  // namespace aclq::trace
