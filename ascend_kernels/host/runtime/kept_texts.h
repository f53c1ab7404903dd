// SPDX-License-Identifier: Apache-2.0
// Texts that live as long as the process. Lock-free, because a fork could leave a lock held in the child forever.
#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace aclq {

class KeptTexts {
  public:
    // Null unless the text is kept.
    const char* find(const std::string& text) const {
        for (const Node* node = first_.load(std::memory_order_acquire); node != nullptr; node = node->next) {
            if (node->text == text) {
                return node->text.c_str();
            }
        }
        return nullptr;
    }
    const char* keep(const std::string& text) {
        if (const char* kept = find(text)) {
            return kept;
        }
        auto fresh = std::make_unique<Node>(Node{text, first_.load()});
        while (!first_.compare_exchange_weak(fresh->next, fresh.get())) {
        }
        return fresh.release()->text.c_str();
    }

  private:
    struct Node {
        const std::string text;
        Node* next;
    };
    std::atomic<Node*> first_{nullptr};
};

}  // namespace aclq
