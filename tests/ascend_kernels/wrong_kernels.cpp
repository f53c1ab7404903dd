// SPDX-License-Identifier: Apache-2.0
// Small kernels that are wrong in one way each. The name ends with the number of the check that must notice; kernels
// without a number are right. The last two arguments are the global memory they may use: 4096 bytes read, 4096 bytes
// written.
#include "kernel_operator.h"
#include "run.h"

using namespace AscendC;

namespace {

#define FENCE(EVENT)                                     \
    {                                                    \
        auto id = pipe.FetchEventID<HardEvent::EVENT>(); \
        SetFlag<HardEvent::EVENT>(id);                   \
        WaitFlag<HardEvent::EVENT>(id);                  \
    }

// What most of them are made of: load, add one, store.
struct Parts {
    TPipe pipe;
    TQue<TPosition::VECIN, 1> in;
    TQue<TPosition::VECOUT, 1> out;
    TBuf<TPosition::VECCALC> work;
    GlobalTensor<float> from, to;
    Parts(std::uint8_t* x, std::uint8_t* y) {
        from.SetGlobalBuffer(reinterpret_cast<float*>(x), 1024);
        to.SetGlobalBuffer(reinterpret_cast<float*>(y), 1024);
        pipe.InitBuffer(in, 2, 4096);
        pipe.InitBuffer(out, 2, 4096);
        pipe.InitBuffer(work, 8192);
    }
    LocalTensor<float> Load() {
        LocalTensor<float> x = in.AllocTensor<float>();
        DataCopy(x, from, 1024);
        in.EnQue(x);
        return in.DeQue<float>();
    }
    void Store(LocalTensor<float> y) {
        out.EnQue(y);
        y = out.DeQue<float>();
        DataCopy(to, y, 1024);
        out.FreeTensor(y);
    }
};

#define KERNEL(name)                                                                                           \
    void name([[maybe_unused]] Parts& p, [[maybe_unused]] TPipe& pipe, [[maybe_unused]] LocalTensor<float> w); \
    const emu::Entry entry_##name(#name, [](std::uint8_t* const* a, std::uint8_t*) {                           \
        Parts p(a[0], a[1]);                                                                                   \
        name(p, p.pipe, p.work.Get<float>());                                                                  \
    });                                                                                                        \
    void name([[maybe_unused]] Parts& p, [[maybe_unused]] TPipe& pipe, [[maybe_unused]] LocalTensor<float> w)

// Load, add, store: as many kernels end, so that only what is wrong is wrong.
void rest(Parts& p) {
    auto x = p.Load();
    auto y = p.out.AllocTensor<float>();
    Adds(y, x, 1.0f, 1024);
    p.in.FreeTensor(x);
    p.Store(y);
}

KERNEL(right) {
    rest(p);
}
KERNEL(right_accumulation) {
    auto x = p.Load();
    Duplicate(w, 0.0f, 64);
    PipeBarrier<PIPE_V>();
    Max(w, x, w, static_cast<std::uint64_t>(64), 16, BinaryRepeatParams{1, 1, 1, 0, 8, 0});
    PipeBarrier<PIPE_V>();
    auto y = p.out.AllocTensor<float>();
    Adds(y, x, 1.0f, 1024);
    p.in.FreeTensor(x);
    p.Store(y);
}
KERNEL(right_scalar) {
    rest(p);
    Duplicate(w, 2.0f, 8);
    FENCE(V_S)
    w.SetValue(1, w.GetValue(0));
    FENCE(S_V)
    Adds(w, w, 1.0f, 8);
}

// 1: local memory
KERNEL(too_much_memory_1) {
    TBuf<TPosition::VECCALC> more;
    pipe.InitBuffer(more, 300000);
}
KERNEL(too_many_buffers_1) {
    TQue<TPosition::VECIN, 1> more;
    pipe.InitBuffer(more, 60, 32);
}
KERNEL(second_pipe_1) {
    TPipe other;
}

// 2: queues
KERNEL(no_free_buffer_2) {
    for (int i = 0; i < 3; ++i) {
        p.in.AllocTensor<float>();
    }
}
KERNEL(beyond_depth_2) {
    auto a = p.in.AllocTensor<float>();
    auto b = p.in.AllocTensor<float>();
    p.in.EnQue(a);
    p.in.EnQue(b);
}
KERNEL(enqueued_twice_2) {
    auto a = p.in.AllocTensor<float>();
    p.in.EnQue(a);
    p.in.EnQue(a);
}
KERNEL(empty_queue_2) {
    p.in.DeQue<float>();
}
KERNEL(foreign_queue_2) {
    auto a = p.in.AllocTensor<float>();
    p.out.EnQue(a);
}
KERNEL(freed_while_enqueued_2) {
    auto a = p.in.AllocTensor<float>();
    p.in.EnQue(a);
    p.in.FreeTensor(a);
}
KERNEL(freed_twice_2) {
    auto a = p.Load();
    p.in.FreeTensor(a);
    p.in.FreeTensor(a);
}
KERNEL(not_initialised_2) {
    TQue<TPosition::VECIN, 1> queue;
    queue.AllocTensor<float>();
}
KERNEL(never_freed_2) {
    rest(p);
    p.Load();
}
KERNEL(left_enqueued_2) {
    rest(p);
    auto x = p.in.AllocTensor<float>();
    DataCopy(x, p.from, 1024);
    p.in.EnQue(x);
}
KERNEL(ninth_tensor_2) {
    TQue<TPosition::VECIN, 1> more;
    pipe.InitBuffer(more, 9, 32);
    for (int i = 0; i < 9; ++i) {
        more.AllocTensor<float>();
    }
}

// 3: use after free
KERNEL(after_free_3) {
    auto x = p.Load();
    p.in.FreeTensor(x);
    Adds(w, x, 1.0f, 64);
}
KERNEL(scalar_after_free_3) {
    auto x = p.Load();
    FENCE(V_S)
    p.in.FreeTensor(x);
    x.GetValue(0);
}
KERNEL(buffer_of_another_3) {
    auto x = p.Load();
    p.in.FreeTensor(x);
    auto z = p.Load();
    auto z2 = p.in.AllocTensor<float>();
    DataCopy(x, p.from, 1024);
    p.in.FreeTensor(z);
    p.in.FreeTensor(z2);
}

// 4, 5 and 10: order. Queues that are bypassed are found by the missing events.
KERNEL(used_without_dequeue_10) {
    auto x = p.in.AllocTensor<float>();
    DataCopy(x, p.from, 1024);
    Adds(w, x, 1.0f, 64);
}
KERNEL(stored_without_enqueue_10) {
    auto y = p.out.AllocTensor<float>();
    Duplicate(y, 1.0f, 1024);
    DataCopy(p.to, y, 1024);
}
KERNEL(loaded_into_scratch_10) {
    DataCopy(w, p.from, 1024);
    Adds(w, w, 1.0f, 1024);
}
KERNEL(no_barrier_read_10) {
    Duplicate(w, 1.0f, 64);
    Adds(w[64], w, 1.0f, 64);
}
KERNEL(no_barrier_write_10) {
    Duplicate(w, 1.0f, 64);
    PipeBarrier<PIPE_V>();
    Adds(w[64], w, 1.0f, 64);
    Duplicate(w, 2.0f, 64);
}
KERNEL(no_barrier_write_write_10) {
    Duplicate(w, 1.0f, 64);
    Duplicate(w, 2.0f, 64);
}
KERNEL(no_barrier_behind_a_second_reader_10) {
    // The instruction that writes reads the same place itself: the reader before it still counts.
    Duplicate(w, 1.0f, 64);
    PipeBarrier<PIPE_V>();
    Adds(w[64], w, 1.0f, 64);
    Adds(w, w, 1.0f, 64);
}
KERNEL(no_barrier_behind_deq_scale_10) {
    Duplicate(w.ReinterpretCast<std::int32_t>(), 1, 64);
    PipeBarrier<PIPE_V>();
    SetDeqScale(static_cast<half>(1.0f));
    Cast(w[64].ReinterpretCast<half>(), w.ReinterpretCast<std::int32_t>(), RoundMode::CAST_NONE, 64);
}
KERNEL(barrier_of_another_pipe_10) {
    Duplicate(w, 1.0f, 64);
    PipeBarrier<PIPE_MTE2>();
    Adds(w[64], w, 1.0f, 64);
}
KERNEL(scalar_reads_too_early_10) {
    Duplicate(w, 1.0f, 64);
    w.GetValue(0);
}
KERNEL(wrong_event_10) {
    Duplicate(w, 1.0f, 64);
    FENCE(MTE2_S)
    w.GetValue(0);
}
KERNEL(vector_reads_scalar_10) {
    for (std::uint32_t i = 0; i < 8; ++i) {
        w.SetValue(i, 1.0f);
    }
    Adds(w[8], w, 1.0f, 8);
}
KERNEL(vector_overwrites_what_scalar_reads_10) {
    Duplicate(w, 1.0f, 64);
    FENCE(V_S)
    w.GetValue(0);
    PipeBarrier<PIPE_V>();
    Duplicate(w, 2.0f, 64);
}
KERNEL(store_of_scalars_10) {
    auto y = p.out.AllocTensor<float>();
    Duplicate(y, 1.0f, 1024);
    FENCE(V_S)
    y.SetValue(0, 2.0f);
    p.Store(y);
}
KERNEL(scalar_overwrites_store_10) {
    Duplicate(w, 1.0f, 1024);
    FENCE(V_MTE3)
    DataCopy(p.to, w, 1024);
    FENCE(V_S)
    w.SetValue(0, 2.0f);
}
KERNEL(reload_too_early_10) {
    DataCopy(w, p.from, 1024);
    FENCE(MTE2_V)
    Adds(w[1024], w, 1.0f, 1024);
    PipeBarrier<PIPE_MTE2>();
    DataCopy(w, p.from, 1024);
}
KERNEL(two_loads_to_one_place_10) {
    DataCopy(w, p.from, 1024);
    DataCopy(w, p.from, 1024);
}
KERNEL(two_stores_to_one_place_10) {
    Duplicate(w, 1.0f, 2048);
    FENCE(V_MTE3)
    DataCopy(p.to, w, 1024);
    DataCopy(p.to, w[1024], 1024);
}
KERNEL(store_read_back_10) {
    Duplicate(w, 1.0f, 1024);
    FENCE(V_MTE3)
    DataCopy(p.to, w, 1024);
    DataCopy(w[1024], p.to, 1024);
}
KERNEL(loads_then_stores_over_10) {
    Duplicate(w, 1.0f, 1024);
    FENCE(V_MTE3)
    DataCopy(w[1024], p.to, 1024);
    DataCopy(p.to, w, 1024);
}

// 6: what was never written
KERNEL(uninitialised_6) {
    Adds(w[64], w, 1.0f, 64);
}
KERNEL(uninitialised_lane_6) {
    Duplicate(w, 1.0f, 63);
    PipeBarrier<PIPE_V>();
    Adds(w[64], w, 1.0f, 64);
}
KERNEL(content_of_the_buffer_before_6) {
    auto x = p.Load();
    p.in.FreeTensor(x);
    auto y = p.in.AllocTensor<float>();
    p.in.EnQue(y);
    y = p.in.DeQue<float>();
    Adds(w, y, 1.0f, 64);
}
KERNEL(scalar_uninitialised_6) {
    w.GetValue(3);
}
KERNEL(reduction_destroys_work_6) {
    auto x = p.Load();
    ReduceMax(w, x, w[64], 1024);
    PipeBarrier<PIPE_V>();
    Adds(w[128], w[64], 1.0f, 8);
}

// 7: past the end of a tensor
KERNEL(too_many_elements_7) {
    Duplicate(w, 1.0f, 2049);
}
KERNEL(slice_too_short_7) {
    Duplicate(w[2040], 1.0f, 16);
}
KERNEL(stride_too_far_7) {
    Duplicate(w, 1.0f, 2048);
    PipeBarrier<PIPE_V>();
    Add(w, w, w, static_cast<std::uint64_t>(64), 9, BinaryRepeatParams{1, 1, 1, 32, 32, 32});
}
KERNEL(copy_too_long_7) {
    DataCopy(w[1024], p.from, DataCopyParams{2, 64, 0, 64});
}
KERNEL(view_of_half_a_block_7) {
    p.work.Get<float>(9);
}
KERNEL(gather_past_the_end_7) {
    Duplicate(w.ReinterpretCast<std::uint32_t>(), 8192u, 8);
    PipeBarrier<PIPE_V>();
    Gather(w[64], w, w.ReinterpretCast<std::uint32_t>(), 4, 8);
}

// 8: alignment
KERNEL(unaligned_slice_8) {
    Duplicate(w, 1.0f, 64);
    PipeBarrier<PIPE_V>();
    Adds(w[64], w[1], 1.0f, 8);
}
KERNEL(unaligned_destination_8) {
    Duplicate(w[4], 1.0f, 8);
}
KERNEL(unaligned_copy_8) {
    DataCopy(w[1], p.from, 8);
}

// 11: events
KERNEL(flag_set_twice_11) {
    SetFlag<HardEvent::V_S>(0);
    SetFlag<HardEvent::V_S>(0);
}
KERNEL(wait_without_set_11) {
    WaitFlag<HardEvent::V_S>(0);
}
KERNEL(wait_for_another_id_11) {
    SetFlag<HardEvent::V_S>(0);
    WaitFlag<HardEvent::V_S>(1);
}
KERNEL(flag_left_set_11) {
    rest(p);
    SetFlag<HardEvent::V_S>(0);
}
KERNEL(event_id_too_large_11) {
    SetFlag<HardEvent::V_S>(8);
}

// 12: global memory
KERNEL(reads_past_the_end_12) {
    DataCopy(w, p.from[1016], 24);
}
KERNEL(writes_past_the_end_12) {
    Duplicate(w, 1.0f, 1024);
    FENCE(V_MTE3)
    DataCopy(p.to[1020], w, 8);
}
KERNEL(writes_into_an_input_12) {
    Duplicate(w, 1.0f, 1024);
    FENCE(V_MTE3)
    DataCopy(p.from, w, 1024);
}
KERNEL(output_not_written_12) {
    auto x = p.Load();
    p.in.FreeTensor(x);
    Duplicate(w, 1.0f, 1024);
    FENCE(V_MTE3)
    DataCopy(p.to, w, 1016);
}
KERNEL(output_from_uninitialised_12) {
    Duplicate(w, 1.0f, 1016);
    FENCE(V_MTE3)
    DataCopy(p.to, w, 1024);
}
KERNEL(nowhere_12) {
    GlobalTensor<float> wild;
    wild.SetGlobalBuffer(reinterpret_cast<float*>(64), 1024);
    DataCopy(w, wild, 8);
}

// 13: other cores
KERNEL(same_bytes_13) {
    rest(p);
}
KERNEL(reads_what_another_writes_13) {
    if (GetBlockIdx() == 0) {
        rest(p);
    } else {
        DataCopy(w, p.to, 8);
    }
}

// 14: limits of copies
KERNEL(part_of_a_block_14) {
    DataCopy(w, p.from, 9);
}
KERNEL(nothing_14) {
    DataCopy(w, p.from, 0);
}
KERNEL(too_many_blocks_14) {
    DataCopy(w, p.from, DataCopyParams{4096, 1, 0, 0});
}

// 15: instructions and their operands
KERNEL(cast_that_is_missing_15) {
    Duplicate(w, 1.0f, 64);
    PipeBarrier<PIPE_V>();
    Cast(w[64].ReinterpretCast<std::int8_t>(), w, RoundMode::CAST_RINT, 64);
}
KERNEL(cast_mode_that_is_missing_15) {
    Duplicate(w, 1.0f, 64);
    PipeBarrier<PIPE_V>();
    Cast(w[64].ReinterpretCast<std::int32_t>(), w, RoundMode::CAST_NONE, 64);
}
KERNEL(no_deq_scale_15) {
    Duplicate(w.ReinterpretCast<std::int32_t>(), 1, 64);
    PipeBarrier<PIPE_V>();
    Cast(w[64].ReinterpretCast<half>(), w.ReinterpretCast<std::int32_t>(), RoundMode::CAST_NONE, 64);
}
KERNEL(type_that_is_missing_15) {
    auto bytes = w.ReinterpretCast<std::int8_t>();
    Add(bytes, bytes, bytes, 64);
}
KERNEL(and_of_words_15) {
    auto words = w.ReinterpretCast<std::int32_t>();
    And(words, words, words, 64);
}
KERNEL(mask_of_zero_15) {
    Duplicate(w, 1.0f, 64);
    PipeBarrier<PIPE_V>();
    Add(w, w, w, static_cast<std::uint64_t>(0), 1, BinaryRepeatParams{});
}
KERNEL(mask_too_large_15) {
    Duplicate(w, 1.0f, 128);
    PipeBarrier<PIPE_V>();
    Add(w, w, w, static_cast<std::uint64_t>(65), 1, BinaryRepeatParams{});
}
KERNEL(block_stride_of_zero_15) {
    Duplicate(w, 1.0f, 128);
    PipeBarrier<PIPE_V>();
    Add(w, w, w, static_cast<std::uint64_t>(64), 1, BinaryRepeatParams{0, 1, 1, 8, 8, 8});
}
KERNEL(overlap_15) {
    Duplicate(w, 1.0f, 128);
    PipeBarrier<PIPE_V>();
    Adds(w[8], w, 1.0f, 64);
}
KERNEL(accumulates_into_src0_15) {
    Duplicate(w, 1.0f, 1024);
    PipeBarrier<PIPE_V>();
    Max(w, w, w[64], static_cast<std::uint64_t>(64), 4, BinaryRepeatParams{1, 1, 1, 0, 0, 8});
}
KERNEL(narrowing_in_place_15) {
    SetDeqScale(static_cast<half>(1.0f));
    Duplicate(w.ReinterpretCast<std::int32_t>(), 1, 64);
    PipeBarrier<PIPE_V>();
    Cast(w.ReinterpretCast<half>(), w.ReinterpretCast<std::int32_t>(), RoundMode::CAST_NONE, 64);
}
KERNEL(odd_int4_15) {
    auto halves = w.ReinterpretCast<half>();
    Duplicate(halves, static_cast<half>(1.0f), 64);
    PipeBarrier<PIPE_V>();
    Cast(w[64].ReinterpretCast<int4b_t>(), halves, RoundMode::CAST_NONE, 63);
}

// 16: work space
KERNEL(work_too_small_16) {
    auto x = p.Load();
    ReduceMax(w, x, w[2024], 1024);
}

// 17: scalar access
KERNEL(element_too_far_17) {
    w.SetValue(2048, 1.0f);
}

// 18: what does not exist
KERNEL(barrier_of_the_scalar_unit_18) {
    PipeBarrier<PIPE_S>();
}

// What the inference series lacks.
KERNEL(right_shift) {
    rest(p);
    auto words = w.ReinterpretCast<std::int32_t>();
    Duplicate(words, 16, 64);
    PipeBarrier<PIPE_V>();
    ShiftRight(words, words, 1, 64);
}
KERNEL(right_pad) {
    rest(p);
    DataCopyPad(w, p.from, DataCopyExtParams{1, 5 * 4, 0, 0, 0}, DataCopyPadExtParams<float>{});
}
KERNEL(right_rint) {
    rest(p);
    auto halves = w.ReinterpretCast<half>();
    Duplicate(halves, static_cast<half>(1.0f), 64);
    PipeBarrier<PIPE_V>();
    Cast(w[64].ReinterpretCast<std::int8_t>(), halves, RoundMode::CAST_RINT, 64);
}
KERNEL(right_int4) {
    rest(p);
    Duplicate(w.ReinterpretCast<std::uint32_t>(), 0x76543210u, 8);
    PipeBarrier<PIPE_V>();
    Cast(w[64].ReinterpretCast<half>(), w.ReinterpretCast<int4b_t>(), RoundMode::CAST_NONE, 64);
}
KERNEL(right_float_to_float) {
    rest(p);
    Duplicate(w, 1.5f, 64);
    PipeBarrier<PIPE_V>();
    Cast(w[64], w, RoundMode::CAST_RINT, 64);
}
KERNEL(right_bytes_apart) {
    // Two cores store 16 bytes each within one block of 32.
    if (GetBlockIdx() == 0) {
        Duplicate(w, 1.0f, 1024);
        FENCE(V_MTE3)
        DataCopy(p.to, w, 512);
    } else {
        Duplicate(w, 1.0f, 1024);
        FENCE(V_MTE3)
        DataCopy(p.to[512], w, 512);
    }
}
KERNEL(fill_of_a_block_6) {
    // What fills the block behind 5 elements means nothing.
    DataCopyPad(w, p.from, DataCopyExtParams{1, 5 * 4, 0, 0, 0}, DataCopyPadExtParams<float>{});
    FENCE(MTE2_V)
    Adds(w[64], w, 1.0f, 8);
}
KERNEL(right_fill_with_padding) {
    rest(p);
    DataCopyPad(w, p.from, DataCopyExtParams{1, 5 * 4, 0, 0, 0}, DataCopyPadExtParams<float>{true, 0, 3, 0.0f});
    FENCE(MTE2_V)
    Adds(w[64], w, 1.0f, 8);
}
KERNEL(too_much_padding_14) {
    DataCopyPad(w, p.from, DataCopyExtParams{1, 5 * 4, 0, 0, 0}, DataCopyPadExtParams<float>{true, 0, 9, 0.0f});
}
KERNEL(copy_of_no_bytes_14) {
    DataCopyPad(w, p.from, DataCopyExtParams{1, 0, 0, 0, 0}, DataCopyPadExtParams<float>{});
}

}  // namespace
