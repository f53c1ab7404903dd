// SPDX-License-Identifier: Apache-2.0
// Running a kernel, in C for ctypes.
#pragma once

#include <cstdint>

extern "C" {

typedef struct {
    void* data;  // null: the argument is absent
    uint64_t bytes;
    int32_t writable;
} EmuArgument;

typedef struct {
    uint32_t blocks;
    uint64_t key;
    const void* tiling;
    uint64_t tilingBytes;
    uint32_t order, schedule;
    uint8_t poison;
    uint8_t nanWins;
    const char* skipFile;  // a synchronisation call to leave out, "" for none
    int32_t skipLine;
} EmuLaunch;

typedef struct {
    int32_t check;  // 0: all well
    uint32_t block;
    int32_t line;
    char file[128];
    char text[512];
    uint64_t loaded, stored, vectors, scalars, localBytes, copies, elements;
} EmuReport;

// Runs a kernel by its name; the last two arguments, workspace and tiling, are added.
int32_t emuRun(const char* kernel, const EmuArgument* arguments, uint32_t count, const EmuLaunch* launch,
               EmuReport* report);

// The tiling of an operator for the library's chip, from numbers whose meaning is the operator's (tile.cpp). Returns
// the bytes of its tiling data, or 0 if it refuses; and the bytes it moves between global and local memory.
uint64_t emuTile(const char* op, const int64_t* numbers, uint32_t cores, void* tiling, uint64_t* key, uint32_t* blocks);

uint64_t emuTraffic(const char* op, const int64_t* numbers, uint32_t cores);

const char* emuChip(void);
uint32_t emuCores(void);
const char* emuKernels(void);  // comma-separated
const char* emuSites(void);    // synchronisation calls of the last run: a line "file:line:what" each
}

namespace emu {

using Kernel = void (*)(uint8_t* const* arguments, uint8_t* tiling);
struct Entry {
    Entry(const char* name, Kernel kernel);
};

}  // namespace emu
