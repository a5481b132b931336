#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/log.hpp"
#include "capture/chunk_stream.hpp"
#include "capture/coding.hpp"
#include "capture/gst.hpp"
#include "tests/fuzz/lines.hpp"
#include "tests/support/fake_clock.hpp"

using namespace edgecam;
using namespace edgecam::capture;

namespace {

void require(bool holds) {
    if (!holds) __builtin_trap();
}

std::string_view nextWord(std::string_view& rest) {
    const auto end = rest.find(' ');
    const auto word = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return word;
}

template <class Number>
std::optional<Number> nextNumber(std::string_view& rest) {
    const auto word = nextWord(rest);
    Number value = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), value);
    if (read.ec != std::errc()) return std::nullopt;
    return value;
}

ByteBuffer bytesOf(std::string_view hex) {
    ByteBuffer bytes;
    for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
        std::uint8_t byte = 0;
        std::from_chars(hex.data() + at, hex.data() + at + 2, byte, 16);
        bytes.push_back(byte);
    }
    return bytes;
}

/// "CODEC WIDTH HEIGHT NUMERATOR DENOMINATOR HEX": what a parser says of a camera's stream. What is no number
/// is left out.
Handle<GstCaps> capsOf(std::string_view line) {
    const auto codec = nextWord(line);
    auto caps = adopt(gst_caps_new_empty_simple(codec == "h264"   ? "video/x-h264"
                                                : codec == "h265" ? "video/x-h265"
                                                : codec == "jpeg" ? "image/jpeg"
                                                                  : "video/x-vp9"));
    for (const char* name : {"width", "height"}) {
        if (const auto value = nextNumber<int>(line))
            gst_caps_set_simple(caps.get(), name, G_TYPE_INT, *value, nullptr);
    }
    const auto numerator = nextNumber<int>(line);
    const auto denominator = nextNumber<int>(line).value_or(1);
    // GStreamer holds no others.
    constexpr int kLeast = std::numeric_limits<int>::min();
    if (numerator && *numerator != kLeast && denominator != 0 && denominator != kLeast)
        gst_caps_set_simple(caps.get(), "framerate", GST_TYPE_FRACTION, *numerator, denominator, nullptr);
    if (const auto data = bytesOf(line); !data.empty()) {
        const auto buffer = adopt(gst_buffer_new_memdup(data.data(), data.size()));
        gst_caps_set_simple(caps.get(), "codec_data", GST_TYPE_BUFFER, buffer.get(), nullptr);
    }
    return caps;
}

std::size_t find(ByteView bytes, std::string_view name) {
    const auto found = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
    require(found != bytes.end());
    return static_cast<std::size_t>(found - bytes.begin());
}

/// What comes out of a stream must be what any player can go on from, whatever went in.
class Player {
  public:
    void see(const Chunk& chunk, const AccessUnit& unit, const Coding& coding) {
        require(chunk.format && chunk.format->frameRate >= 0 && chunk.sequence >= lastSequence_);
        require(std::ranges::all_of(chunk.format->codecString, [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.';
        }));
        lastSequence_ = chunk.sequence;
        switch (chunk.kind) {
            case ChunkKind::initSegment:
                require(chunk.channel != channel_);
                checkInit(*chunk.payload, coding);
                break;
            case ChunkKind::accessUnit:
                require(chunk.channel == channel_ && (chunk.keyFrame || begun_));
                checkUnit(*chunk.payload, unit);
                break;
            default:
                require(chunk.kind == ChunkKind::jpeg && chunk.payload->size() == unit.data.size());
        }
        channel_ = chunk.channel;
        begun_ = chunk.kind != ChunkKind::initSegment;
    }
    void brokeOff() { begun_ = false; }

  private:
    static void checkBoxes(ByteView bytes) {
        ByteReader reader(bytes);
        while (reader.remaining() > 0) {
            const auto size = reader.u32();
            require(size && *size >= 8 && reader.bytes(*size - 4));
        }
    }

    static void checkInit(ByteView bytes, const Coding& coding) {
        checkBoxes(bytes);
        ByteReader header(bytes.subspan(find(bytes, "tkhd") + 4 + 76));
        require(*header.u32() >> 16 == static_cast<std::uint32_t>(coding.track.size.width));
        require(*header.u32() >> 16 == static_cast<std::uint32_t>(coding.track.size.height));
        const bool h265 = coding.track.codec == Codec::h265;
        const ByteView entry = bytes.subspan(find(bytes, h265 ? "hvc1" : "avc1"));
        // The brands name "avc1" nowhere; the entry's size stands 24 bytes behind its reserved ones.
        ByteReader size(entry.subspan(4 + 24));
        require(*size.u16() == coding.track.size.width && *size.u16() == coding.track.size.height);
    }

    void checkUnit(ByteView bytes, const AccessUnit& unit) {
        checkBoxes(bytes);
        require(bytes.size() == kSampleOffset + unit.data.size());
        require(std::ranges::equal(bytes.subspan(kSampleOffset), unit.data));
        ByteReader time(bytes.subspan(find(bytes, "tfdt") + 8));
        const auto decode = static_cast<std::int64_t>(*time.u64());
        require(decode > lastDecode_);
        lastDecode_ = decode;
    }

    std::uint32_t lastSequence_ = 0;
    std::uint16_t channel_ = 0;
    bool begun_ = false;
    std::int64_t lastDecode_ = -1;
};

/// A camera's way from its parser to the chunks, on a clock that stands until it is told.
class Way {
  public:
    Way() { gst_segment_init(&segment_, GST_FORMAT_TIME); }

    void take(std::string_view line) {
        const auto word = nextWord(line);
        if (word == "caps") caps_ = capsOf(line);
        if (word == "key" || word == "delta") push(word == "key", line);
        if (word == "wait") clock_.advance(Microseconds(nextNumber<std::uint32_t>(line).value_or(0)));
        if (word == "again") {
            timeline_.beginGeneration();
            stream_.breakOff();
            player_.brokeOff();
        }
    }

    void finish() {
        stream_.join([](const Backlog& backlog, const std::shared_ptr<const Coding>& coding) {
            std::size_t bytes = 0;
            for (const Chunk& chunk : backlog.chunks) bytes += chunk.payload->size();
            require(bytes <= GopLimits{}.bytes + 8192);
            if (!coding || coding->track.codec == Codec::jpeg) return;
            require(!backlog.chunks.empty() && backlog.chunks[0].kind == ChunkKind::initSegment);
            // What a decoder is told is what was told to us.
            const auto caps = adopt(newCapsOf(*coding));
            const auto again = codingOf(caps.get());
            require(again && again->track == coding->track);
        });
    }

  private:
    void push(bool key, std::string_view line) {
        const auto coding = reader_.read(caps_.get());
        if (!coding) return;
        require(!coding->track.size.empty() && coding->frameRate >= 0);
        const auto buffer = adopt(gst_buffer_new());
        GST_BUFFER_PTS(buffer.get()) = nextNumber<std::uint64_t>(line).value_or(GST_CLOCK_TIME_NONE);
        GST_BUFFER_DTS(buffer.get()) = nextNumber<std::uint64_t>(line).value_or(GST_CLOCK_TIME_NONE);
        if (!key) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
        const ByteBuffer data = bytesOf(line);
        const auto running = runningTime(&segment_, GST_BUFFER_PTS(buffer.get()));
        if (!running) return;
        unit_ = accessUnitOf(buffer.get(), data, &segment_, *running, coding->frameRate);
        SourceTime time;
        time.running = *running;
        time.age = Microseconds(clock_.monotonic().time_since_epoch()) - *running;
        const PictureStamp stamp = timeline_.stamp(time);
        unit_.pts = stamp.mediaTime;
        if (unit_.dts) *unit_.dts += stamp.mediaTime - time.running;
        stream_.push(unit_, coding, stamp);
    }

    test::FakeClock clock_;
    Timeline timeline_{clock_};
    GstSegment segment_{};
    Handle<GstCaps> caps_;
    CodingReader reader_;
    AccessUnit unit_;
    Player player_;
    ChunkStream stream_{RenditionKind::passthrough, clock_,
                        [this](const Chunk& chunk, const std::shared_ptr<const Coding>& coding) {
                            player_.see(chunk, unit_, *coding);
                        }};
};

}  // namespace

// What a camera's coded stream says of itself, and when, one thing a line:
//   caps CODEC WIDTH HEIGHT NUMERATOR DENOMINATOR CODEC_DATA
//   key|delta PTS DTS DATA
//   again                      the source was opened anew
//   wait MICROSECONDS
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    startLog(LogLevel::error);
    startGStreamer();
    Way way;
    std::string_view rest = fuzz::textOf(data, size);
    while (!rest.empty()) way.take(fuzz::nextLine(rest));
    way.finish();
    return 0;
}
