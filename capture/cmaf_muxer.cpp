#include "capture/cmaf_muxer.hpp"

#include <algorithm>
#include <limits>

#include "capture/parameter_sets.hpp"

namespace edgecam::capture {
namespace {

constexpr std::uint32_t kTrackId = 1;
// Sample flags, ISO/IEC 14496-12, 8.8.3.1.
constexpr std::uint32_t kSyncSample = 0x02000000;     // sample_depends_on = 2: on none
constexpr std::uint32_t kNonSyncSample = 0x01010000;  // depends on others, is not a sync sample
// Box flags: tfhd 8.8.7.1, trun 8.8.8.1.
constexpr std::uint32_t kDefaultBaseIsMoof = 0x020000;
constexpr std::uint32_t kTrunFields = 0x000001     // data-offset
                                      | 0x000100   // sample-duration
                                      | 0x000200   // sample-size
                                      | 0x000400   // sample-flags
                                      | 0x000800;  // sample-composition-time-offset

/// A box being written: its size is filled in when it goes out of scope (14496-12, 4.2).
class Box {
  public:
    Box(ByteBuffer& out, std::string_view type) : out_(out), start_(out.size()) {
        ByteWriter writer(out_);
        writer.u32(0);
        writer.bytes(type);
    }
    ~Box() { ByteWriter(out_).patchU32(start_, static_cast<std::uint32_t>(out_.size() - start_)); }
    Box(const Box&) = delete;
    Box& operator=(const Box&) = delete;

  private:
    ByteBuffer& out_;
    std::size_t start_;
};

/// A box that begins with a version and flags.
class FullBox : public Box {
  public:
    FullBox(ByteBuffer& out, std::string_view type, std::uint8_t version, std::uint32_t flags)
        : Box(out, type) {
        ByteWriter writer(out);
        writer.u8(version);
        writer.u24(flags);
    }
};

void writeUnityMatrix(ByteWriter& to) {
    for (const std::uint32_t value : {0x10000U, 0U, 0U, 0U, 0x10000U, 0U, 0U, 0U, 0x40000000U}) to.u32(value);
}

void writeFileType(ByteBuffer& out) {
    const Box box(out, "ftyp");
    ByteWriter to(out);
    to.bytes("iso6");  // major brand
    to.u32(0);         // minor version
    to.bytes("iso6cmfcmp41");
}

void writeMovieHeader(ByteBuffer& out) {
    const FullBox box(out, "mvhd", 0, 0);
    ByteWriter to(out);
    to.zeros(8);  // creation and modification time: none, so that equal formats give equal bytes
    to.u32(kTimescale);
    to.u32(0);           // duration: in the fragments
    to.u32(0x00010000);  // rate 1.0
    to.u16(0x0100);      // volume 1.0
    to.zeros(10);
    writeUnityMatrix(to);
    to.zeros(24);
    to.u32(kTrackId + 1);  // next_track_ID
}

void writeTrackHeader(ByteBuffer& out, Size size) {
    constexpr std::uint32_t kEnabledInMovieInPreview = 7;
    const FullBox box(out, "tkhd", 0, kEnabledInMovieInPreview);
    ByteWriter to(out);
    to.zeros(8);
    to.u32(kTrackId);
    to.zeros(4 + 4 + 8);  // reserved, duration, reserved
    to.zeros(2 + 2);      // layer, alternate_group
    to.zeros(2 + 2);      // volume of a picture, reserved
    writeUnityMatrix(to);
    to.u32(static_cast<std::uint32_t>(size.width) << 16);  // 16.16
    to.u32(static_cast<std::uint32_t>(size.height) << 16);
}

void writeMediaHeader(ByteBuffer& out) {
    {
        const FullBox box(out, "mdhd", 0, 0);
        ByteWriter to(out);
        to.zeros(8);
        to.u32(kTimescale);
        to.u32(0);
        to.u16(0x55c4);  // "und": three letters of 5 bits
        to.u16(0);
    }
    const FullBox box(out, "hdlr", 0, 0);
    ByteWriter to(out);
    to.u32(0);
    to.bytes("vide");
    to.zeros(12);
    to.bytes("video");
    to.u8(0);
}

void writeDataReference(ByteBuffer& out) {
    constexpr std::uint32_t kInThisFile = 1;
    const Box information(out, "dinf");
    const FullBox references(out, "dref", 0, 0);
    ByteWriter(out).u32(1);
    const FullBox here(out, "url ", 0, kInThisFile);
}

/// VisualSampleEntry (14496-12, 12.1.3) with its decoder configuration (14496-15).
void writeSampleEntry(ByteBuffer& out, const TrackFormat& format) {
    const bool h265 = format.codec == Codec::h265;
    const Box entry(out, h265 ? "hvc1" : "avc1");
    ByteWriter to(out);
    to.zeros(6);
    to.u16(1);  // data_reference_index
    to.zeros(16);
    to.u16(static_cast<std::uint16_t>(format.size.width));
    to.u16(static_cast<std::uint16_t>(format.size.height));
    to.u32(0x00480000);  // 72 dpi
    to.u32(0x00480000);
    to.zeros(4);
    to.u16(1);  // frame_count
    to.zeros(32);
    to.u16(0x0018);  // depth
    to.u16(0xffff);  // pre_defined = -1
    const Box configuration(out, h265 ? "hvcC" : "avcC");
    to.bytes(format.codecData);
}

void writeSampleTable(ByteBuffer& out, const TrackFormat& format) {
    const Box table(out, "stbl");
    {
        const FullBox descriptions(out, "stsd", 0, 0);
        ByteWriter(out).u32(1);
        writeSampleEntry(out, format);
    }
    // The samples are in the fragments: every table is empty.
    for (const std::string_view type : {"stts", "stsc", "stsz", "stco"}) {
        const FullBox empty(out, type, 0, 0);
        ByteWriter(out).zeros(type == "stsz" ? 8 : 4);
    }
}

void writeTrack(ByteBuffer& out, const TrackFormat& format) {
    const Box track(out, "trak");
    writeTrackHeader(out, format.size);
    const Box media(out, "mdia");
    writeMediaHeader(out);
    const Box information(out, "minf");
    {
        const FullBox videoHeader(out, "vmhd", 0, 1);
        ByteWriter(out).zeros(8);
    }
    writeDataReference(out);
    writeSampleTable(out, format);
}

void writeFragmentDefaults(ByteBuffer& out) {
    const Box extends(out, "mvex");
    const FullBox track(out, "trex", 0, 0);
    ByteWriter to(out);
    to.u32(kTrackId);
    to.u32(1);    // default_sample_description_index
    to.zeros(8);  // default duration and size: each fragment says its own
    to.u32(kNonSyncSample);
}

void writeMovie(ByteBuffer& out, const TrackFormat& format) {
    const Box movie(out, "moov");
    writeMovieHeader(out);
    writeTrack(out, format);
    writeFragmentDefaults(out);
}

/// Ticks, brought into the field's range.
template <class Field>
Field clampedTo(Microseconds time) {
    using Limits = std::numeric_limits<Field>;
    return static_cast<Field>(std::clamp<std::int64_t>(time.count(), Limits::min(), Limits::max()));
}

/// The run of one sample. Composition offsets are written even when they are 0, so that nothing ever moves.
void writeTrackRun(ByteBuffer& out, const AccessUnit& unit, Microseconds compositionOffset) {
    const FullBox run(out, "trun", 1, kTrunFields);  // version 1: the composition offset is signed
    ByteWriter to(out);
    to.u32(1);              // sample_count
    to.u32(kSampleOffset);  // data_offset, from the start of the moof
    to.u32(clampedTo<std::uint32_t>(unit.duration));
    to.u32(static_cast<std::uint32_t>(unit.data.size()));
    to.u32(unit.keyFrame ? kSyncSample : kNonSyncSample);
    to.u32(static_cast<std::uint32_t>(clampedTo<std::int32_t>(compositionOffset)));
}

void writeMovieFragment(ByteBuffer& out, std::uint32_t number, const AccessUnit& unit,
                        Microseconds decodeTime, Microseconds compositionOffset) {
    const Box fragment(out, "moof");
    ByteWriter to(out);
    {
        const FullBox header(out, "mfhd", 0, 0);
        to.u32(number);
    }
    const Box track(out, "traf");
    {
        const FullBox header(out, "tfhd", 0, kDefaultBaseIsMoof);
        to.u32(kTrackId);
    }
    {
        const FullBox time(out, "tfdt", 1, 0);
        to.u64(static_cast<std::uint64_t>(decodeTime.count()));
    }
    writeTrackRun(out, unit, compositionOffset);
}

void writeMediaData(ByteBuffer& out, ByteView sample) {
    const Box media(out, "mdat");
    ByteWriter(out).bytes(sample);
}

}  // namespace

Result<std::string> codecString(const TrackFormat& format) {
    switch (format.codec) {
        case Codec::h264:
            return avcCodecString(format.codecData);
        case Codec::h265:
            return hevcCodecString(format.codecData);
        case Codec::jpeg:
            break;
    }
    return Error{"JPEG is not muxed into MP4"};
}

std::optional<int> reorderDepth(const TrackFormat& format) {
    switch (format.codec) {
        case Codec::h264:
            return avcReorderDepth(format.codecData);
        case Codec::h265:
            return hevcReorderDepth(format.codecData);
        case Codec::jpeg:
            break;
    }
    return std::nullopt;
}

ByteBuffer initSegment(const TrackFormat& format) {
    ByteBuffer out;
    out.reserve(640 + format.codecData.size());
    writeFileType(out);
    writeMovie(out, format);
    return out;
}

ByteBuffer CmafMuxer::fragment(const AccessUnit& unit) {
    const Microseconds wanted = std::max(unit.dts.value_or(unit.pts), Microseconds(0));
    const Microseconds decode = last_ ? std::max(wanted, *last_ + Microseconds(1)) : wanted;
    last_ = decode;
    const bool reordered = unit.dts && *unit.dts != unit.pts;

    ByteBuffer out;
    out.reserve(kSampleOffset + unit.data.size());
    writeMovieFragment(out, ++fragments_, unit, decode, reordered ? unit.pts - decode : Microseconds(0));
    writeMediaData(out, unit.data);
    return out;
}

Microseconds DecodeTimes::next(Microseconds pts) {
    pending_.insert(std::upper_bound(pending_.begin(), pending_.end(), pts), pts);
    Microseconds time = pending_.front();
    if (pending_.size() > depth_) {
        pending_.erase(pending_.begin());
    } else {
        time -= Microseconds(depth_ + 1 - pending_.size());
    }
    const Microseconds least = last_ ? *last_ + Microseconds(1) : Microseconds(0);
    last_ = std::max(time, least);
    return *last_;
}

}  // namespace edgecam::capture
