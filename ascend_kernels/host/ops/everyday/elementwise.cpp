// SPDX-License-Identifier: Apache-2.0
#include "ops/everyday/elementwise.h"

#include <algorithm>

namespace aclq::everyday {
namespace {

// A row of the widest numbers. Rooms that follow each other do not begin at the same place of a page: processors take a
// store to the same place for one that a load has to wait for.
struct AnyRoom {
    alignas(64) unsigned char bytes[(kRoom + 32) * sizeof(Complex)];
};

// Truths are bytes; other types than BOOL take them as numbers.
void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const bool* from) {
    Room<std::int64_t> numbers;
    std::copy_n(from, n, numbers.values);
    everyday::write(view, offset, step, n, numbers.values);
}

// Inputs of other types are converted to the type the operator computes in.
void readRounded(aclDataType computed, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 double* to) {
    read(view, offset, step, n, to);
    if (view.dtype != computed && !(computed == ACL_FLOAT && fitsFloat(view.dtype))) {
        for (std::int64_t i = 0; i < n; ++i) {
            to[i] = roundTo(computed, to[i]);
        }
    }
}

// Bytes of a BOOL tensor next to each other, else null.
void* truthsAt(const View& view, std::int64_t offset, std::int64_t step) {
    return view.dtype == ACL_BOOL && step == 1 ? view.data + view.offset + offset : nullptr;
}

}  // namespace

// Whether all elements fit a float, and no input is rounded before the computation.
bool ElementwiseKernel::fitFloats(const View* tensors) const {
    const aclDataType out = tensors[loops_.inputs].dtype;
    bool all = loops_.from == Number::Real && fitsFloat(computed_) &&
               (loops_.to == Number::Truth ? out == ACL_BOOL : loops_.to == Number::Real && fitsFloat(out));
    for (std::size_t index = 0; index < loops_.inputs; ++index) {
        const aclDataType dtype = tensors[index].dtype;
        all = all && (dtype == computed_ || (computed_ == ACL_FLOAT && fitsFloat(dtype)));
    }
    return all;
}

const void* ElementwiseKernel::readInput(bool floats, const View& view, std::int64_t offset, std::int64_t step,
                                         std::int64_t n, void* room) const {
    if (floats) {
        if (const float* there = floatsAt(view, offset, step)) {
            return there;
        }
        read(view, offset, step, n, static_cast<float*>(room));
    } else if (loops_.from == Number::Real) {
        readRounded(computed_, view, offset, step, n, static_cast<double*>(room));
    } else if (loops_.from == Number::Integer) {
        read(view, offset, step, n, static_cast<std::int64_t*>(room));
    } else {
        read(view, offset, step, n, static_cast<Complex*>(room));
    }
    return room;
}

void ElementwiseKernel::writeResults(bool floats, const View& view, std::int64_t offset, std::int64_t step,
                                     std::int64_t n, const void* results) const {
    if (loops_.to == Number::Truth) {
        write(view, offset, step, n, static_cast<const bool*>(results));
    } else if (floats) {
        everyday::write(view, offset, step, n, static_cast<const float*>(results));
    } else if (loops_.to == Number::Real) {
        everyday::write(view, offset, step, n, static_cast<const double*>(results));
    } else if (loops_.to == Number::Integer) {
        everyday::write(view, offset, step, n, static_cast<const std::int64_t*>(results));
    } else {
        everyday::write(view, offset, step, n, static_cast<const Complex*>(results));
    }
}

// FLOAT and truths are read and written where they lie, so that memory is walked once. Others go through rooms.
template <std::size_t inputs>
void ElementwiseKernel::runInputs(const View* tensors) const {
    const auto walk = walkTogether<inputs + 1>(tensors);
    const View& out = tensors[inputs];
    const bool floats = fitFloats(tensors);
    forPieces({.rows = walk.rows(), .length = walk.length(), .chunk = kRoom}, [&](Pieces pieces) {
        AnyRoom rooms[inputs + 1];
        const void* values[inputs];
        std::int64_t at[inputs + 1] = {};
        const std::int64_t step = walk.step(inputs);
        while (pieces.next()) {
            if (pieces.newRow()) {
                walk.locate(pieces.row(), at);
            }
            const std::int64_t n = pieces.count();
            for (std::size_t index = 0; index < inputs; ++index) {
                values[index] = readInput(floats, tensors[index], at[index] + pieces.first() * walk.step(index),
                                          walk.step(index), n, rooms[index].bytes);
            }
            const std::int64_t to = at[inputs] + pieces.first() * step;
            void* there = nullptr;
            if (loops_.to == Number::Truth) {
                there = truthsAt(out, to, step);
            } else if (floats) {
                there = const_cast<float*>(floatsAt(out, to, step));
            }
            void* const results = there != nullptr ? there : rooms[inputs].bytes;
            if (floats) {
                computeFloats(values, n, results);
            } else {
                compute(values, n, results);
            }
            if (there == nullptr) {
                writeResults(floats, out, to, step, n, results);
            }
        }
    });
}

void ElementwiseKernel::run(const View* tensors, const KernelContext&) const {
    switch (loops_.inputs) {
        case 1:
            return runInputs<1>(tensors);
        case 2:
            return runInputs<2>(tensors);
        case 3:
            return runInputs<3>(tensors);
        case 4:
            return runInputs<4>(tensors);
        default:
            return runInputs<kMaxInputs>(tensors);
    }
}

}  // namespace aclq::everyday
