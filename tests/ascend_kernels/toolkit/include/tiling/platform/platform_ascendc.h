// Stand-in for CANN's header.
#pragma once

#include <cstdint>

namespace platform_ascendc {

enum class CoreMemType { UB };
enum class SocVersion { ASCEND910B, ASCEND310P };

// What a test sets as the platform of a tiling context.
struct Platform {
    uint32_t cores;
    uint64_t local;
    SocVersion soc;
};

class PlatformAscendC {
  public:
    explicit PlatformAscendC(const void* platform) : platform_(static_cast<const Platform*>(platform)) {}
    uint32_t GetCoreNumAiv() const { return platform_->cores; }
    void GetCoreMemSize(const CoreMemType&, uint64_t& size) const { size = platform_->local; }
    SocVersion GetSocVersion() const { return platform_->soc; }
    uint32_t GetLibApiWorkSpaceSize() const { return platform_->soc == SocVersion::ASCEND310P ? 2u << 20 : 16u << 20; }

  private:
    const Platform* platform_;
};

}  // namespace platform_ascendc
