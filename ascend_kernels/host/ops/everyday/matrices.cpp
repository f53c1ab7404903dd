// SPDX-License-Identifier: Apache-2.0
// Matrices solved, decomposed and multiplied by rules: inverses, determinants, QR, cross products, sums over indices.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>

#include "aclnnop/aclnn_einsum.h"
#include "aclnnop/aclnn_inverse.h"
#include "aclnnop/aclnn_linalg_cross.h"
#include "aclnnop/aclnn_linalg_qr.h"
#include "aclnnop/aclnn_slogdet.h"
#include "ops/everyday/along.h"
#include "ops/everyday/elementwise.h"
#include "ops/everyday/pick.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

using Integer = std::int64_t;

// A matrix in separate memory, row after row.
template <class T>
struct Matrix {
    Matrix(Integer rowCount, Integer columnCount)
        : rows(rowCount), columns(columnCount), values(static_cast<std::size_t>(rowCount * columnCount), T{}) {}
    T& at(Integer row, Integer column) { return values[static_cast<std::size_t>(row * columns + column)]; }
    Integer rows;
    Integer columns;
    Row<T> values;
};

double conjugate(double value) {
    return value;
}
Complex conjugate(Complex value) {
    return std::conj(value);
}

// The last two dimensions of a tensor are matrices.
Mask matricesOf(const View& view) {
    return 3U << (view.rank - 2);
}
template <class T>
Matrix<T> matrixAt(const Split& split, Integer place, Integer rows, Integer columns) {
    Matrix<T> matrix(rows, columns);
    matrix.values = split.row<T>(place);
    return matrix;
}

// The place of the largest element in a column, from a row on.
template <class T>
Integer pivotOf(Matrix<T>& matrix, Integer column, Integer from) {
    Integer best = from;
    for (Integer row = from; row < matrix.rows; ++row) {
        best = std::abs(matrix.at(row, column)) > std::abs(matrix.at(best, column)) ? row : best;
    }
    return best;
}
template <class T>
void swapRows(Matrix<T>& matrix, Integer first, Integer second) {
    for (Integer column = 0; first != second && column < matrix.columns; ++column) {
        std::swap(matrix.at(first, column), matrix.at(second, column));
    }
}

// By Gauss and Jordan, with the largest pivot. A matrix without an inverse gives infinities and NaN.
template <class T>
Matrix<T> inverse(Matrix<T> matrix) {
    const Integer n = matrix.rows;
    Matrix<T> result(n, n);
    for (Integer index = 0; index < n; ++index) {
        result.at(index, index) = T{1};
    }
    for (Integer column = 0; column < n; ++column) {
        const Integer pivot = pivotOf(matrix, column, column);
        swapRows(matrix, column, pivot);
        swapRows(result, column, pivot);
        const T scale = T{1} / matrix.at(column, column);
        for (Integer index = 0; index < n; ++index) {
            matrix.at(column, index) *= scale;
            result.at(column, index) *= scale;
        }
        for (Integer row = 0; row < n; ++row) {
            const T factor = matrix.at(row, column);
            for (Integer index = 0; row != column && index < n; ++index) {
                matrix.at(row, index) -= factor * matrix.at(column, index);
                result.at(row, index) -= factor * result.at(column, index);
            }
        }
    }
    return result;
}

// Sign and logarithm of the magnitude of the determinant.
template <class T>
std::pair<T, double> logDeterminant(Matrix<T> matrix) {
    T sign{1};
    double logarithm = 0;
    for (Integer column = 0; column < matrix.rows; ++column) {
        const Integer pivot = pivotOf(matrix, column, column);
        swapRows(matrix, column, pivot);
        const T value = matrix.at(column, column);
        if (value == T{}) {
            return {T{}, -HUGE_VAL};
        }
        sign *= (pivot != column ? T{-1} : T{1}) * (value / std::abs(value));
        logarithm += std::log(std::abs(value));
        for (Integer row = column + 1; row < matrix.rows; ++row) {
            const T factor = matrix.at(row, column) / value;
            for (Integer index = column; index < matrix.columns; ++index) {
                matrix.at(row, index) -= factor * matrix.at(column, index);
            }
        }
    }
    return {sign, logarithm};
}

// Householder reflections, with the signs of LAPACK. q: rows x rows.
template <class T>
void decompose(Matrix<T>& matrix, Matrix<T>& q) {
    for (Integer index = 0; index < q.rows; ++index) {
        q.at(index, index) = T{1};
    }
    for (Integer column = 0; column < std::min(matrix.rows, matrix.columns); ++column) {
        double size = 0;
        double below = 0;
        for (Integer row = column; row < matrix.rows; ++row) {
            size += std::norm(matrix.at(row, column));
            below += row > column ? std::norm(matrix.at(row, column)) : 0;
        }
        const T first = matrix.at(column, column);
        if (below == 0 && std::imag(Complex(first)) == 0) {
            continue;
        }
        const double length = std::real(Complex(first)) > 0 ? -std::sqrt(size) : std::sqrt(size);
        std::vector<T> v(static_cast<std::size_t>(matrix.rows));
        double square = 0;
        for (Integer row = column; row < matrix.rows; ++row) {
            v[static_cast<std::size_t>(row)] = matrix.at(row, column) - (row == column ? T{length} : T{});
            square += std::norm(v[static_cast<std::size_t>(row)]);
        }
        // H = 1 - tau v v^H with tau so that H^H times the column has the real first element `length`.
        T product{};
        for (Integer row = column; row < matrix.rows; ++row) {
            product += conjugate(v[static_cast<std::size_t>(row)]) * matrix.at(row, column);
        }
        const T tau = T{1} / product;
        for (Integer index = 0; index < matrix.columns; ++index) {
            T sum{};
            for (Integer row = column; row < matrix.rows; ++row) {
                sum += conjugate(v[static_cast<std::size_t>(row)]) * matrix.at(row, index);
            }
            for (Integer row = column; row < matrix.rows; ++row) {
                matrix.at(row, index) -= tau * sum * v[static_cast<std::size_t>(row)];
            }
        }
        for (Integer row = 0; row < q.rows; ++row) {
            T sum{};
            for (Integer index = column; index < q.columns; ++index) {
                sum += q.at(row, index) * v[static_cast<std::size_t>(index)];
            }
            for (Integer index = column; index < q.columns; ++index) {
                q.at(row, index) -= conjugate(tau) * sum * conjugate(v[static_cast<std::size_t>(index)]);
            }
        }
    }
}

// Does something for each matrix: prepare(tensors) gives what is called with its number.
template <class Work>
class ForMatrices : public Kernel {
  public:
    explicit ForMatrices(Work work) : work_(std::move(work)) {}
    void run(const View* tensors, const KernelContext&) const override {
        const Split split(tensors[0], matricesOf(tensors[0]));
        parallelFor(split.outer.elements(), grain(split), [&](Integer begin, Integer end) {
            for (Integer place = begin; place < end; ++place) {
                work_(tensors, split, place);
            }
        });
    }

  private:
    const Work work_;
};
template <class Work>
std::shared_ptr<const Kernel> forMatrices(Work work) {
    return std::make_shared<ForMatrices<Work>>(std::move(work));
}

aclnnStatus checkSquare(const aclTensor* self) {
    ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
    ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 2, kMaxKernelRank));
    return self->shape[self->shape.rank() - 2] == self->shape.last()
               ? ACLNN_SUCCESS
               : refuse("self", "shape " + self->shape.text(), "as many rows as columns");
}

// The kernel in complex numbers or in doubles: make(a number).
template <class Make>
std::shared_ptr<const Kernel> ofNumbers(aclDataType dtype, Make&& make) {
    return isComplex(dtype) ? make(Complex{}) : make(double{});
}

}  // namespace

aclnnStatus aclnnInverseGetWorkspaceSize(const aclTensor* self, aclTensor* out, uint64_t* workspaceSize,
                                         aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInverse);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSquare(self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
        return out->empty() ? call.nothing()
                            : call.launch({{"self", self}, {"out", out}},
                                          forMatrices([](const View* tensors, const Split& from, Integer place) {
                                              const Integer n = tensors[0].shape[tensors[0].rank - 1];
                                              const Split to(tensors[1], matricesOf(tensors[1]));
                                              to.put(place, inverse(matrixAt<double>(from, place, n, n)).values);
                                          }));
    });
}
ACLQ_PHASE_2(aclnnInverse)

aclnnStatus aclnnSlogdetGetWorkspaceSize(const aclTensor* self, aclTensor* signOut, aclTensor* logOut,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnSlogdet);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSquare(self));
        const Dims expected(self->shape.data(), static_cast<std::uint64_t>(self->shape.rank() - 2));
        for (const Argument& one : {Argument{"signOut", signOut}, {"logOut", logOut}}) {
            ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
            ACLQ_RETURN_IF_FAILED(checkShape(one, expected, "the dimensions of self before the last two"));
        }
        if (signOut->empty()) {
            return call.nothing();
        }
        const auto kernel = ofNumbers(self->dtype, []<class T>(T) {
            return forMatrices([](const View* tensors, const Split& from, Integer place) {
                const Integer n = tensors[0].shape[tensors[0].rank - 1];
                const auto [sign, logarithm] = logDeterminant(matrixAt<T>(from, place, n, n));
                put(tensors[1], place, sign);
                put(tensors[2], place, logarithm);
            });
        });
        return call.launch({{"self", self}, {"signOut", signOut}, {"logOut", logOut}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnSlogdet)

// mode: 0 the first columns of Q and rows of R, 1 all of both, 2 R alone.
aclnnStatus aclnnLinalgQrGetWorkspaceSize(const aclTensor* self, int64_t mode, aclTensor* Q, aclTensor* R,
                                          uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnLinalgQr);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("Q", Q));
        ACLQ_RETURN_IF_FAILED(checkTensor("R", R));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 2, kMaxKernelRank));
        if (mode < 0 || mode > 2) {
            return refuse("mode", std::to_string(mode), "0 (reduced), 1 (complete), 2 (R alone)");
        }
        const Integer rank = self->shape.rank();
        const Integer rows = self->shape[rank - 2];
        const Integer columns = self->shape[rank - 1];
        const Integer kept = mode == 1 ? rows : std::min(rows, columns);
        Dims expected = self->shape;
        expected[rank - 2] = kept;
        ACLQ_RETURN_IF_FAILED(checkShape("R", *R, expected, "the rows that mode keeps"));
        if (mode != 2) {
            expected[rank - 2] = rows;
            expected[rank - 1] = kept;
            ACLQ_RETURN_IF_FAILED(checkShape("Q", *Q, expected, "the columns that mode keeps"));
        }
        if (R->empty() && (mode == 2 || Q->empty())) {
            return call.nothing();
        }
        const auto kernel = ofNumbers(self->dtype, [=]<class T>(T) {
            return forMatrices([=](const View* tensors, const Split& from, Integer place) {
                Matrix<T> r = matrixAt<T>(from, place, rows, columns);
                Matrix<T> q(rows, rows);
                decompose(r, q);
                Matrix<T> first(rows, kept);
                Matrix<T> upper(kept, columns);
                for (Integer row = 0; row < rows; ++row) {
                    for (Integer column = 0; column < kept; ++column) {
                        first.at(row, column) = q.at(row, column);
                    }
                }
                for (Integer row = 0; row < kept; ++row) {
                    for (Integer column = row; column < columns; ++column) {
                        upper.at(row, column) = r.at(row, column);
                    }
                }
                Split(tensors[1], matricesOf(tensors[1])).put(place, upper.values);
                if (mode != 2) {
                    Split(tensors[2], matricesOf(tensors[2])).put(place, first.values);
                }
            });
        });
        return mode == 2 ? call.launch({{"self", self}, {"R", R}}, kernel)
                         : call.launch({{"self", self}, {"R", R}, {"Q", Q}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnLinalgQr)

aclnnStatus aclnnLinalgCrossGetWorkspaceSize(const aclTensor* self, const aclTensor* other, int64_t dim, aclTensor* out,
                                             uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnLinalgCross);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("other", other));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        Dims shape = self->shape;
        if (!broadcast(shape, other->shape)) {
            return refuse("other", "shape " + other->shape.text(), "a shape that fits to " + self->shape.text());
        }
        if (shape.rank() == 0) {
            return refuse("self", "shape " + self->shape.text(), "at least one dimension");
        }
        ACLQ_RETURN_IF_FAILED(checkDim("dim", shape.rank(), dim));
        if (shape[dim] != 3) {
            return refuse("dim", std::to_string(dim), "a dimension of size 3");
        }
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, shape, "the common shape of the inputs"));
        if (out->empty()) {
            return call.nothing();
        }
        // An element is the difference of two products of elements further along the dimension.
        const auto kernel =
            ofDomain(promote(self->dtype, other->dtype), [=]<class T>(T) -> std::shared_ptr<const Kernel> {
                class Cross : public Kernel {
                  public:
                    explicit Cross(Integer along) : along_(along) {}
                    void run(const View* tensors, const KernelContext&) const override {
                        const View& result = tensors[2];
                        Integer at[kMaxKernelRank] = {};
                        for (Integer index = 0; index < result.elements(); ++index) {
                            countTo(result, index, at);
                            const auto value = [&](std::size_t which, Integer further) {
                                Integer offset = 0;
                                for (Integer d = 0; d < result.rank; ++d) {
                                    const Integer place = d == along_ ? (at[d] + further) % 3 : at[d];
                                    offset += place * strideAlong(tensors[which], result, d);
                                }
                                T found{};
                                read(tensors[which], offset, 1, 1, &found);
                                return found;
                            };
                            const T difference =
                                subtract(multiply(value(0, 1), value(1, 2)), multiply(value(0, 2), value(1, 1)));
                            write(result, offsetAt(result, at), 1, 1, &difference);
                        }
                    }

                  private:
                    const Integer along_;
                };
                return std::make_shared<Cross>(dim);
            });
        return call.launch({{"self", self}, {"other", other}, {"out", out}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnLinalgCross)

namespace {

// Tensors: the inputs, out. Each letter stands for a loop; the elements at the same letters are multiplied and added
// up.
template <class T>
class SumOverLetters : public Kernel {
  public:
    SumOverLetters(std::vector<std::string> terms, std::string letters, std::vector<Integer> sizes, std::size_t kept)
        : terms_(std::move(terms)), letters_(std::move(letters)), sizes_(std::move(sizes)), kept_(kept) {}

    void run(const View* tensors, const KernelContext&) const override {
        const std::size_t inputs = terms_.size();
        // Strides of every tensor along every letter.
        std::vector<std::vector<Integer>> steps(inputs, std::vector<Integer>(letters_.size()));
        for (std::size_t input = 0; input < inputs; ++input) {
            for (std::size_t place = 0; place < terms_[input].size(); ++place) {
                const std::size_t letter = letters_.find(terms_[input][place]);
                const bool repeats = tensors[input].shape[place] == 1;
                steps[input][letter] += repeats ? 0 : tensors[input].strides[place];
            }
        }
        Integer results = 1;
        Integer summed = 1;
        for (std::size_t letter = 0; letter < letters_.size(); ++letter) {
            (letter < kept_ ? results : summed) *= sizes_[letter];
        }
        const View& out = tensors[inputs];
        parallelFor(results, std::max<Integer>(1, kThreadGrain / std::max<Integer>(1, summed)),
                    [&](Integer begin, Integer end) {
                        for (Integer number = begin; number < end; ++number) {
                            T sum{};
                            for (Integer other = 0; other < summed; ++other) {
                                sum = add(sum, product(tensors, steps, number, other));
                            }
                            write(out, offsetOf(out, number), 1, 1, &sum);
                        }
                    });
    }

  private:
    T product(const View* tensors, const std::vector<std::vector<Integer>>& steps, Integer number,
              Integer other) const {
        std::vector<Integer> offsets(terms_.size());
        for (std::size_t letter = letters_.size(); letter-- > 0;) {
            Integer& rest = letter < kept_ ? number : other;
            const Integer index = rest % sizes_[letter];
            rest /= sizes_[letter];
            for (std::size_t input = 0; input < offsets.size(); ++input) {
                offsets[input] += index * steps[input][letter];
            }
        }
        T result{1};
        for (std::size_t input = 0; input < offsets.size(); ++input) {
            T value{};
            read(tensors[input], offsets[input], 1, 1, &value);
            result = multiply(result, value);
        }
        return result;
    }

    const std::vector<std::string> terms_;
    const std::string letters_;  // those of the result first
    const std::vector<Integer> sizes_;
    const std::size_t kept_;
};

}  // namespace

aclnnStatus aclnnEinsumGetWorkspaceSize(const aclTensorList* tensors, const char* equation, aclTensor* output,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnEinsum);
    return call.prepare([&]() -> aclnnStatus {
        std::vector<aclTensor*> given;
        ACLQ_RETURN_IF_FAILED(readList("tensors", tensors, given));
        if (equation == nullptr) {
            return failArgument(ACLNN_ERR_PARAM_NULLPTR, "equation", "null", "such as 'ij,jk->ik'");
        }
        ACLQ_RETURN_IF_FAILED(checkTensor("output", output));
        std::string rule(equation);
        rule.erase(std::remove(rule.begin(), rule.end(), ' '), rule.end());
        const std::size_t arrow = rule.find("->");
        const auto wrong = [&](const std::string& allowed) {
            return refuse("equation", text("'%s'", equation), allowed);
        };
        std::vector<std::string> terms(1);
        for (const char letter : rule.substr(0, arrow)) {
            if (letter == ',') {
                terms.emplace_back();
            } else if (std::isalpha(static_cast<unsigned char>(letter)) != 0) {
                terms.back() += letter;
            } else {
                return wrong("letters, commas and ->");
            }
        }
        if (given.empty() || terms.size() != given.size()) {
            return wrong(std::to_string(given.size()) + " terms, one for each tensor");
        }
        std::map<char, std::pair<Integer, int>> found;  // size, how often
        std::vector<Argument> arguments;
        for (std::size_t index = 0; index < given.size(); ++index) {
            const aclTensor* one = given[index];
            ACLQ_RETURN_IF_FAILED(checkTensor("tensors", one));
            if (one->dtype != given[0]->dtype) {
                return refuse("tensors", "dtype " + nameOf(one->dtype), nameOf(given[0]->dtype));
            }
            if (static_cast<std::size_t>(one->shape.rank()) != terms[index].size()) {
                return wrong("a letter for each dimension of shape " + one->shape.text());
            }
            for (std::size_t place = 0; place < terms[index].size(); ++place) {
                auto& [size, times] = found.try_emplace(terms[index][place], 1, 0).first->second;
                const Integer here = one->shape[static_cast<Integer>(place)];
                if (size != here && size != 1 && here != 1) {
                    return wrong(text("one size for the letter %c", terms[index][place]));
                }
                size = size == 1 ? here : size;
                ++times;
            }
            arguments.push_back({"tensors", one});
        }
        std::string letters;
        if (arrow != std::string::npos) {
            letters = rule.substr(arrow + 2);
        } else {
            for (const auto& [letter, use] : found) {  // in alphabetical order, those that occur once
                letters.append(use.second == 1 ? 1 : 0, letter);
            }
        }
        std::vector<Integer> sizes;
        for (std::size_t place = 0; place < letters.size(); ++place) {
            if (!found.contains(letters[place]) || letters.find(letters[place]) != place) {
                return wrong("each letter of the result once, and in a term");
            }
            sizes.push_back(found[letters[place]].first);
        }
        const std::size_t kept = letters.size();
        if (kept > Dims::kMaxRank) {
            return wrong("a result of at most 8 dimensions");
        }
        ACLQ_RETURN_IF_FAILED(
            checkShape("output", *output, Dims(sizes.data(), sizes.size()), "the sizes of the letters of the result"));
        for (const auto& [letter, use] : found) {
            if (letters.find(letter) == std::string::npos) {
                letters += letter;
                sizes.push_back(use.first);
            }
        }
        if (output->empty()) {
            return call.nothing();
        }
        arguments.push_back({"output", output});
        return call.launch(arguments, ofDomain(given[0]->dtype, [&]<class T>(T) -> std::shared_ptr<const Kernel> {
                               return std::make_shared<SumOverLetters<T>>(terms, letters, sizes, kept);
                           }));
    });
}
ACLQ_PHASE_2(aclnnEinsum)
