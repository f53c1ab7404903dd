// SPDX-License-Identifier: Apache-2.0
#include "second_opinion.h"

#include <dlfcn.h>

#include <array>
#include <mutex>
#include <vector>

#include "books.h"
#include "write.h"

namespace aclq::trace {
namespace {

// The host device beside this library, loaded privately: its names meet no others.
class Host {
  public:
    explicit Host(void* handle) : handle_(handle) {}

    template <class Pointer>
    Pointer get(const char* name) const {
        return reinterpret_cast<Pointer>(handle_ == nullptr ? nullptr : dlsym(handle_, name));
    }
#define ACLQ_HOST(HOST, NAME) (HOST).get<decltype(&::NAME)>(#NAME)
    bool isThere() const {
        return handle_ != nullptr;
    }

  private:
    void* handle_;
};

std::string directoryOf(void* address) {
    Dl_info info{};
    if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) {
        return "";
    }
    const std::string path = info.dli_fname;
    const std::size_t slash = path.rfind('/');
    return slash == path.npos ? "." : path.substr(0, slash);
}

bool isHostDevice(void* address) {
    Dl_info info{};
    if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) {
        return false;
    }
    void* const handle = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (handle == nullptr) {
        return false;
    }
    const bool host = dlsym(handle, "aclquantVersion") != nullptr;
    dlclose(handle);
    return host;
}

// Objects of the host device with the same contents, destroyed in the end.
class Twins {
  public:
    explicit Twins(const Host& host) : host_(host) {}
    Twins(const Twins&) = delete;
    Twins& operator=(const Twins&) = delete;
    ~Twins() {
        for (const auto& [destroy, object] : made_) {
            host_.get<aclnnStatus (*)(void*)>(destroy)(object);
        }
    }

    std::uint64_t of(const Argument& argument) {
        if (argument.bits == 0) {
            return 0;
        }
        if (const auto* const tensor = std::get_if<Tensor>(&argument.object)) {
            return owned(tensorOf(*tensor), "aclDestroyTensor");
        }
        if (const auto* const scalar = std::get_if<Scalar>(&argument.object)) {
            return owned(scalarOf(*scalar), "aclDestroyScalar");
        }
        if (const auto* const array = std::get_if<Array>(&argument.object)) {
            return arrayOf(*array);
        }
        if (const auto* const members = std::get_if<4>(&argument.object)) {
            std::vector<const aclTensor*> tensors;
            for (const auto& [handle, tensor] : *members) {
                tensors.push_back(tensor ? tensorOf(*tensor) : nullptr);
            }
            return owned(ACLQ_HOST(host_, aclCreateTensorList)(tensors.data(), tensors.size()), "aclDestroyTensorList");
        }
        if (const auto* const members = std::get_if<5>(&argument.object)) {
            std::vector<const aclScalar*> scalars;
            for (const auto& scalar : *members) {
                scalars.push_back(scalar ? scalarOf(*scalar) : nullptr);
            }
            return owned(ACLQ_HOST(host_, aclCreateScalarList)(scalars.data(), scalars.size()), "aclDestroyScalarList");
        }
        return argument.bits;
    }

    // An object whose creation was not traced.
    static bool isUnknown(const Argument& argument) {
        const Kind kind = argument.parameter->kind;
        return argument.bits != 0 && kind >= Kind::Tensor && kind <= Kind::Array &&
               std::holds_alternative<std::monostate>(argument.object);
    }

  private:
    template <class T>
    std::uint64_t owned(T* object, const char* destroy) {
        if (object != nullptr) {
            made_.emplace_back(destroy, const_cast<void*>(static_cast<const void*>(object)));
        }
        return reinterpret_cast<std::uint64_t>(object);
    }

    aclTensor* tensorOf(const Tensor& tensor) {
        return ACLQ_HOST(host_, aclCreateTensor)(
            tensor.dims.data(), tensor.dims.size(), static_cast<aclDataType>(tensor.dtype), tensor.strides.data(),
            tensor.offset, static_cast<aclFormat>(tensor.format), tensor.storage.data(), tensor.storage.size(),
            reinterpret_cast<void*>(tensor.data));
    }

    aclScalar* scalarOf(const Scalar& scalar) {
        unsigned char bytes[16];
        std::copy(std::begin(scalar.bytes), std::end(scalar.bytes), bytes);
        return ACLQ_HOST(host_, aclCreateScalar)(bytes, static_cast<aclDataType>(scalar.dtype));
    }

    std::uint64_t arrayOf(const Array& array) {
        if (const auto* const whole = std::get_if<std::vector<std::int64_t>>(&array.values)) {
            return owned(ACLQ_HOST(host_, aclCreateIntArray)(whole->data(), whole->size()), "aclDestroyIntArray");
        }
        if (const auto* const real = std::get_if<std::vector<float>>(&array.values)) {
            return owned(ACLQ_HOST(host_, aclCreateFloatArray)(real->data(), real->size()), "aclDestroyFloatArray");
        }
        const auto& flags = std::get<std::vector<bool>>(array.values);
        std::array<bool, 64> few{};
        for (std::size_t i = 0; i < flags.size() && i < few.size(); ++i) {
            few[i] = flags[i];
        }
        return owned(ACLQ_HOST(host_, aclCreateBoolArray)(few.data(), std::min(flags.size(), few.size())),
                     "aclDestroyBoolArray");
    }

    const Host& host_;
    std::vector<std::pair<const char*, void*>> made_;
};

std::string ask(const Host& host, Call& call, const std::string& soc) {
    const std::string who = "the host device, as " + soc + ",";
    void* const phaseOne = host.get<void*>(call.function.name);
    if (phaseOne == nullptr) {
        return "aclquant: no explanation: the host device does not have " + std::string(call.function.name);
    }
    const std::vector<Argument> arguments = keepArguments(call);
    Twins twins(host);
    std::vector<std::uint64_t> values;
    for (const Argument& argument : arguments) {
        if (Twins::isUnknown(argument)) {
            return "aclquant: no explanation: argument '" + std::string(argument.parameter->name) +
                   "' was made before tracing began, or never existed";
        }
        values.push_back(twins.of(argument));
    }
    std::uint64_t workspace = 0;
    aclOpExecutor* executor = nullptr;
    const auto last = static_cast<std::size_t>(call.function.count);
    values.push_back(call.values[last - 2] == 0 ? 0 : reinterpret_cast<std::uint64_t>(&workspace));
    values.push_back(call.values[last - 1] == 0 ? 0 : reinterpret_cast<std::uint64_t>(&executor));
    ACLQ_HOST(host, aclGetRecentErrMsg)();
    const std::int32_t answer = call.invoke(phaseOne, values.data());
    if (answer == 0) {
        if (executor != nullptr) {
            ACLQ_HOST(host, aclSetAclOpExecutorRepeatable)(executor);
            ACLQ_HOST(host, aclDestroyAclOpExecutor)(executor);
        }
        return "aclquant: " + who + " accepts the same call: by its rules nothing is wrong with the arguments";
    }
    const char* const text = ACLQ_HOST(host, aclGetRecentErrMsg)();
    std::string sentence = text == nullptr ? "" : text;
    sentence = sentence.substr(0, sentence.find('\n'));
    if (answer == call.status()) {
        return sentence;
    }
    return "aclquant: " + who + " refuses the same call for another reason: " + sentence;
}

}  // namespace

std::string secondOpinion(Call& call) {
    if (call.invoke == nullptr || isHostDevice(call.function.real.load())) {
        return "";
    }
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    const std::string path = directoryOf(reinterpret_cast<void*>(&isHostDevice)) + "/libaclquant_host.so";
    const Host host(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
    const auto name = ACLQ_REAL(aclrtGetSocName);
    const char* const soc = name == nullptr ? nullptr : name();
    if (!host.isThere() || soc == nullptr) {
        return "";
    }
    ++depth;  // whatever follows is not the client's
    std::string opinion;
    ACLQ_HOST(host, aclInit)(nullptr);
    ACLQ_HOST(host, aclquantSetSocName)(soc);
    const char* const given = ACLQ_HOST(host, aclrtGetSocName)();
    if (given == nullptr || std::string(given) != soc) {
        opinion = "aclquant: no explanation: the host device cannot behave as " + std::string(soc);
    } else if (ACLQ_HOST(host, aclrtSetDevice)(0) == 0) {
        opinion = ask(host, call, soc);
        ACLQ_HOST(host, aclrtResetDevice)(0);
    }
    --depth;
    return opinion;
}

}  // namespace aclq::trace
