// CmafMuxer: coded pictures → fragmented MP4, the one format this project writes by hand. Pure: bytes in,
// bytes out. An init segment (`ftyp`+`moov`) for a format, one `moof`+`mdat` for each access unit; laid end
// to end they are a valid file. Layout after ISO/IEC 14496-12 (boxes), 14496-15 (avcC, hvcC) and 23000-19
// (CMAF).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/geometry.hpp"
#include "base/media.hpp"
#include "base/result.hpp"

namespace edgecam::capture {

/// One coded picture as it leaves a parser or an encoder.
struct AccessUnit {
    ByteView data;        ///< NAL units, each behind its 4-byte length ("avc"/"hvc1" stream format)
    Microseconds pts{0};  ///< on the camera's running time
    std::optional<Microseconds> dts;  ///< nothing: same as pts
    Microseconds duration{33333};     ///< nominal
    bool keyFrame = false;
};

/// What an init segment is made of. Two equal ones give the same init segment.
struct TrackFormat {
    Codec codec = Codec::h264;  ///< h264 or h265
    ByteBuffer codecData;       ///< the AVCDecoderConfigurationRecord / HEVCDecoderConfigurationRecord
    Size size;                  ///< coded for display, pixels
    bool operator==(const TrackFormat&) const = default;
};

/// RFC 6381: "avc1.PPCCLL", "hvc1.…" (ISO/IEC 14496-15 annex E). Fails when the record is too short to say.
Result<std::string> codecString(const TrackFormat& format);

/// How many pictures may precede one in decoding order and follow it in output (0: no B-frames), read from
/// the first SPS of the record; nothing where it does not say.
std::optional<int> reorderDepth(const TrackFormat& format);

inline constexpr std::uint32_t kTimescale = 1'000'000;  ///< ticks a second: tfdt counts microseconds

/// `ftyp`+`moov` with one video track. Any codec data is carried as it is.
ByteBuffer initSegment(const TrackFormat& format);

/// Byte offset of `trun.sample_duration` in every fragment this muxer writes: players that need longer
/// durations patch those four bytes (docs/protocol.md).
inline constexpr std::size_t kSampleDurationOffset = 88;
/// Byte offset of the sample in every fragment: from here to the end lies the access unit as it came.
inline constexpr std::size_t kSampleOffset = 112;

/// Keeps decode times strictly increasing over the life of a camera. Not thread-safe.
class CmafMuxer {
  public:
    /// One `moof`+`mdat`, always of the same layout. The decode time is the unit's dts, else its pts, but not
    /// below 0 and at least one tick after the last. A unit whose dts differs from its pts gets the
    /// composition offset that leads back to its pts; any other is presented when it is decoded. `unit.data`
    /// is below 4 GiB.
    ByteBuffer fragment(const AccessUnit& unit);
    /// Decode time of the last fragment, microseconds; nothing before the first.
    [[nodiscard]] std::optional<Microseconds> lastDecodeTime() const { return last_; }

  private:
    std::optional<Microseconds> last_;
    std::uint32_t fragments_ = 0;
};

/// Decode times for a stream whose source gives none but has B-frames: the n-th decode time is the
/// (n-depth)-th smallest presentation time so far, the first `depth` ones lie just before the first. Strictly
/// increasing, never negative; never later than the presentation time while the stream reorders by no more
/// than `depth` and starts at least `depth` microseconds after 0. Waits for nothing. Not thread-safe.
class DecodeTimes {
  public:
    /// `reorderDepth`: see reorderDepth(); below 0 counts as 0.
    explicit DecodeTimes(int reorderDepth)
        : depth_(static_cast<std::size_t>(reorderDepth > 0 ? reorderDepth : 0)) {}
    Microseconds next(Microseconds pts);

  private:
    std::size_t depth_;
    std::vector<Microseconds> pending_;  ///< the largest so far, sorted; at most depth_ + 1
    std::optional<Microseconds> last_;
};

}  // namespace edgecam::capture
