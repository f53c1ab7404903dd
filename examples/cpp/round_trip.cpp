// SPDX-License-Identifier: Apache-2.0
//
// float -> int8 -> float16, row by row on a stream: everything is queued, and waited for once. Then a call that is
// refused, and the reason as an exception. The same source builds for a card; see CMakeLists.txt.
#include <aclnnop/aclnn_ascend_anti_quant.h>
#include <aclnnop/aclnn_quantize.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "npu.hpp"

namespace {

constexpr int64_t kRows = 64;
constexpr int64_t kColumns = 256;
constexpr int64_t kElements = kRows * kColumns;

void run() {
    const npu::Device device;

    npu::HostArray<float> input(kElements);
    npu::HostArray<float> scale(1);
    npu::HostArray<aclFloat16> output(kElements);
    for (std::size_t i = 0; i < input.size(); ++i) {
        input[i] = std::sin(static_cast<float>(i));
    }
    scale[0] = 1.0F / 64;  // a power of two: dividing and multiplying by it are exact

    const npu::Buffer x(input.bytes()), s(scale.bytes()), q(kElements), y(output.bytes());
    const npu::Tensor xTensor(x, {kRows, kColumns}, ACL_FLOAT);
    const npu::Tensor sTensor(s, {1}, ACL_FLOAT);
    const npu::Tensor qTensor(q, {kRows, kColumns}, ACL_INT8);
    const npu::Tensor yTensor(y, {kRows, kColumns}, ACL_FLOAT16);

    npu::Stream stream;  // destroyed first, before what its work uses
    stream.upload(x, input);
    stream.upload(s, scale);
    stream.launch("aclnnQuantize", aclnnQuantizeGetWorkspaceSize, aclnnQuantize, xTensor.get(), sTensor.get(), nullptr,
                  ACL_INT8, 1, qTensor.get());
    stream.launch("aclnnAscendAntiQuant", aclnnAscendAntiQuantGetWorkspaceSize, aclnnAscendAntiQuant, qTensor.get(),
                  sTensor.get(), nullptr, ACL_FLOAT16, false, yTensor.get());
    stream.download(output, y);
    stream.synchronize();

    float error = 0;
    for (std::size_t i = 0; i < input.size(); ++i) {
        error = std::max(error, std::fabs(input[i] - aclFloat16ToFloat(output[i])));
    }
    std::printf("%s: %d elements, largest error %g steps\n", aclrtGetSocName(), static_cast<int>(kElements),
                static_cast<double>(error / scale[0]));

    try {  // a result type that the operator does not have
        stream.launch("aclnnQuantize", aclnnQuantizeGetWorkspaceSize, aclnnQuantize, xTensor.get(), sTensor.get(),
                      nullptr, ACL_FLOAT16, 1, yTensor.get());
    } catch (const npu::Error& refusal) {
        std::printf("%s\n", refusal.what());
    }
}

}  // namespace

int main() {
    try {
        run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
