// SPDX-License-Identifier: Apache-2.0
// Storage for objects whose addresses are handed to C clients. A pool never gives its memory back, so that any
// pointer a client passes (stale, foreign or random) can be recognised without touching foreign memory.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace aclq {

template <class T>
class HandlePool {
  public:
    template <class... Arguments>
    T* create(Arguments&&... arguments) {
        Slot* slot = take();
        try {
            T* object = ::new (static_cast<void*>(slot->storage)) T(std::forward<Arguments>(arguments)...);
            slot->magic.store(kAlive, std::memory_order_release);
            live_.fetch_add(1, std::memory_order_relaxed);
            return object;
        } catch (...) {
            giveBack(slot);
            throw;
        }
    }

    // The object behind a handle, or null if the handle is not (or no longer) one of this pool.
    T* find(const void* handle) const {
        Slot* slot = slotOf(handle);
        return slot != nullptr && slot->magic.load(std::memory_order_acquire) == kAlive ? slot->object() : nullptr;
    }

    // Destroys the object; false if the handle is not alive (also when two threads race to destroy it).
    bool destroy(const void* handle) {
        Slot* slot = slotOf(handle);
        std::uint32_t expected = kAlive;
        if (slot == nullptr || !slot->magic.compare_exchange_strong(expected, kDead)) {
            return false;
        }
        slot->object()->~T();
        live_.fetch_sub(1, std::memory_order_relaxed);
        giveBack(slot);
        return true;
    }

    // Calls `look` with each live object. Other threads must not destroy objects meanwhile.
    template <class Look>
    void forEach(Look&& look) const {
        for (std::size_t chunk = 0; chunk < chunkCount_.load(std::memory_order_acquire); ++chunk) {
            for (std::size_t index = 0; index < chunkSize(chunk); ++index) {
                if (Slot& slot = chunks_[chunk][index]; slot.magic.load(std::memory_order_acquire) == kAlive) {
                    look(*slot.object());
                }
            }
        }
    }

    std::uint64_t live() const { return live_.load(std::memory_order_relaxed); }

  private:
    static constexpr std::uint32_t kAlive = 0xAC1D0A11;
    static constexpr std::uint32_t kDead = 0xDEADAC1D;
    static constexpr std::size_t kFirstChunk = 64;
    static constexpr std::size_t kMaxChunks = 24;
    // A destroyed handle is not reused at once, so that its use by mistake is detected.
    static constexpr std::size_t kQuarantine = 32;

    struct Slot {
        alignas(T) std::byte storage[sizeof(T)];
        std::atomic<std::uint32_t> magic{kDead};
        T* object() { return std::launder(reinterpret_cast<T*>(storage)); }
    };

    static std::size_t chunkSize(std::size_t chunk) { return kFirstChunk << chunk; }

    Slot* slotOf(const void* handle) const {
        const auto address = reinterpret_cast<std::uintptr_t>(handle);
        const std::size_t count = chunkCount_.load(std::memory_order_acquire);
        for (std::size_t chunk = 0; chunk < count; ++chunk) {
            const auto begin = reinterpret_cast<std::uintptr_t>(chunks_[chunk].get());
            if (address >= begin && address < begin + chunkSize(chunk) * sizeof(Slot)) {
                return (address - begin) % sizeof(Slot) == 0 ? &chunks_[chunk][(address - begin) / sizeof(Slot)]
                                                             : nullptr;
            }
        }
        return nullptr;
    }

    Slot* take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) {
            grow();
        }
        Slot* slot = free_.back();
        free_.pop_back();
        return slot;
    }

    void giveBack(Slot* slot) {
        const std::lock_guard lock(mutex_);
        quarantine_[quarantineNext_] = std::exchange(slot, quarantine_[quarantineNext_]);
        quarantineNext_ = (quarantineNext_ + 1) % kQuarantine;
        if (slot != nullptr) {
            free_.push_back(slot);
        }
    }

    void grow() {
        const std::size_t chunk = chunkCount_.load(std::memory_order_relaxed);
        if (chunk == kMaxChunks) {
            throw std::bad_alloc();
        }
        const std::size_t size = chunkSize(chunk);
        std::size_t slots = 0;
        for (std::size_t earlier = 0; earlier <= chunk; ++earlier) {
            slots += chunkSize(earlier);
        }
        free_.reserve(slots);  // destroying must not allocate
        chunks_[chunk] = std::make_unique<Slot[]>(size);
        for (std::size_t index = size; index-- > 0;) {
            free_.push_back(&chunks_[chunk][index]);
        }
        chunkCount_.store(chunk + 1, std::memory_order_release);
    }

    std::array<std::unique_ptr<Slot[]>, kMaxChunks> chunks_;
    std::atomic<std::size_t> chunkCount_{0};
    std::atomic<std::uint64_t> live_{0};
    std::mutex mutex_;
    std::vector<Slot*> free_;
    std::array<Slot*, kQuarantine> quarantine_{};
    std::size_t quarantineNext_ = 0;
};

}  // namespace aclq
