// SPDX-License-Identifier: Apache-2.0
// Runs in a signal handler: no allocation, no lock that may be held, no stdio.
#include "runtime/fault.h"

#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "runtime/address_space.h"
#include "runtime/device.h"

namespace aclq {
namespace {

class Line {
  public:
    void add(const char* word) {
        for (; *word != '\0' && size_ < sizeof text_; ++word) {
            text_[size_++] = *word;
        }
    }
    void add(std::uint64_t number, unsigned base) {
        char digits[24];
        std::size_t first = sizeof digits - 1;
        digits[first] = '\0';
        do {
            digits[--first] = "0123456789abcdef"[number % base];
            number /= base;
        } while (number != 0);
        add(digits + first);
    }
    void print() const { (void)!::write(STDERR_FILENO, text_, size_); }

  private:
    char text_[256];
    std::size_t size_ = 0;
};

void explain(std::uintptr_t address) {
    Line line;
    line.add("aclquant: the CPU touched device memory at 0x");
    line.add(address, 16);
    const Runtime* state = existingRuntime();
    Allocation found;
    if (state == nullptr) {
        line.add(", which belongs to the process this one was forked from");
    } else if (state->memory.findAtFault(address, found)) {
        line.add(", byte ");
        line.add(address - found.begin, 10);
        line.add(" of device memory 0x");
        line.add(found.begin, 16);
        line.add(" of ");
        line.add(found.asked, 10);
        line.add(" bytes");
    } else {
        line.add(", where no live allocation is (freed, or beyond its end)");
    }
    line.add("; copy it with aclrtMemcpy\n");
    line.print();
}

// Returning repeats the instruction under the default action, so the process ends there and a core dump shows it.
void onFault(int signal, siginfo_t* info, void*) {
    struct sigaction fallback = {};
    fallback.sa_handler = SIG_DFL;
    sigaction(signal, &fallback, nullptr);
    if (info->si_code <= 0) {
        raise(signal);  // sent by a process or thread: it does not repeat by itself
    } else if (const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr); AddressSpace::reserved(address)) {
        explain(address);
    }
}

}  // namespace

void explainFaults() {
    struct sigaction present = {};
    if (sigaction(SIGSEGV, nullptr, &present) != 0 || (present.sa_flags & SA_SIGINFO) != 0 ||
        present.sa_handler != SIG_DFL) {
        return;
    }
    struct sigaction ours = {};
    ours.sa_sigaction = onFault;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &ours, nullptr);
}

}  // namespace aclq
