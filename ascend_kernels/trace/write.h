// SPDX-License-Identifier: Apache-2.0
// Arguments and results as text for people, and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "books.h"

namespace aclq::trace {

void appendNumber(std::string& to, std::int64_t number);
void appendNumber(std::string& to, std::uint64_t number);
void appendNumber(std::string& to, double number);
void appendHex(std::string& to, std::uint64_t number);  // "0x7f.."
void appendQuoted(std::string& to, std::string_view text);

// "f32[2,3]{3,1}@dev"
void appendTensor(std::string& to, const Tensor& tensor);
// {"dtype": "FLOAT", "shape": [2, 3], ...}, without the closing brace: more may follow.
void openTensorJson(std::string& to, const Tensor& tensor);
void appendScalar(std::string& to, const Scalar& scalar, bool json);
void appendArray(std::string& to, const Array& array);

// All arguments of a call: "x=f32[2]{1}@dev, axis=0", or a JSON object.
void appendArguments(std::string& to, const Call& call, bool json);
// One of them, without its name.
void appendValue(std::string& to, const Call& call, int position, bool json);

// "f32", "bf16", "i8" ...
std::string shortName(std::int32_t dtype);

}  // namespace aclq::trace
