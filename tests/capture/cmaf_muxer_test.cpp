#include "capture/cmaf_muxer.hpp"

#include <doctest/doctest.h>
#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cinttypes>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "capture/gst.hpp"
#include "capture/parameter_sets.hpp"
#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;

namespace {

/// x264, 640x480, constrained baseline, no reordering.
const ByteBuffer kAvcC{0x01, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0x00, 0x16, 0x67, 0x42, 0xc0, 0x1e,
                       0xda, 0x02, 0x80, 0xf6, 0xc0, 0x5a, 0x80, 0x80, 0x80, 0xa0, 0x00, 0x00,
                       0x7d, 0x00, 0x00, 0x1d, 0x4c, 0x01, 0x00, 0x04, 0x68, 0xce, 0x0f, 0xc8};

/// Box by box. A change here reaches every peer and every recording.
const std::string kGoldenInit =
    "0000001c6674797069736f360000000069736f36636d66636d703431"  // ftyp
    "0000026c6d6f6f76"                                          // moov
    "0000006c6d766864000000000000000000000000000f4240000000000001000001000000000000000000000000010000"  // mvhd
    "000000000000000000000000000100000000000000000000000000004000000000000000000000000000000000000000"
    "000000000000000000000002"
    "000001d07472616b"  // trak
    "0000005c746b686400000007000000000000000000000001000000000000000000000000000000000000000000000000"  // tkhd
    "0001000000000000000000000000000000010000000000000000000000000000400000000280000001e00000"
    "0000016c6d646961"                                                              // mdia
    "000000206d646864000000000000000000000000000f42400000000055c40000"              // mdhd
    "0000002668646c72000000000000000076696465000000000000000000000000766964656f00"  // hdlr
    "0000011e6d696e66"                                                              // minf
    "00000014766d6864000000010000000000000000"                                      // vmhd
    "0000002464696e66"                                                              // dinf
    "0000001c647265660000000000000001"                                              // dref
    "0000000c75726c2000000001"                                                      // url
    "000000de7374626c"                                                              // stbl
    "00000092737473640000000000000001"                                              // stsd
    "0000008261766331000000000000000100000000000000000000000000000000028001e0004800000048000000000000"  // avc1
    "000100000000000000000000000000000000000000000000000000000000000000000018ffff"
    "0000002c617663430142c01effe100166742c01eda0280f6c05a808080a000007d00001d4c01000468ce0fc8"  // avcC
    "00000010737474730000000000000000"                                                          // stts
    "00000010737473630000000000000000"                                                          // stsc
    "000000147374737a000000000000000000000000"                                                  // stsz
    "000000107374636f0000000000000000"                                                          // stco
    "000000286d766578"                                                                          // mvex
    "0000002074726578000000000000000100000001000000000000000001010000";                         // trex

struct Clip {
    struct Unit {
        ByteBuffer data;
        Microseconds pts;
        std::optional<Microseconds> dts;
        bool keyFrame;
    };
    TrackFormat format;
    std::vector<Unit> units;
};

void readFormat(const GstCaps* caps, TrackFormat& format) {
    const GstStructure* structure = gst_caps_get_structure(caps, 0);
    format.codec = gst_structure_has_name(structure, "video/x-h265") ? Codec::h265 : Codec::h264;
    gst_structure_get_int(structure, "width", &format.size.width);
    gst_structure_get_int(structure, "height", &format.size.height);
    GstBuffer* record = gst_value_get_buffer(gst_structure_get_value(structure, "codec_data"));
    format.codecData.resize(gst_buffer_get_size(record));
    gst_buffer_extract(record, 0, format.codecData.data(), format.codecData.size());
}

/// Everything that a pipeline gives, until it ends. `source` may be a file's path, else nothing.
Clip clipOf(const std::string& description, const std::string& file = {}) {
    auto pipeline = Pipeline::parse(description + " ! appsink name=out sync=false");
    REQUIRE(pipeline);
    if (!file.empty()) g_object_set(pipeline->element("in").get(), "location", file.c_str(), nullptr);
    const auto out = pipeline->element("out");
    REQUIRE(pipeline->play());
    Clip clip;
    while (const auto sample =
               adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(out.get()), 20 * GST_SECOND))) {
        if (clip.units.empty()) readFormat(gst_sample_get_caps(sample.get()), clip.format);
        GstBuffer* buffer = gst_sample_get_buffer(sample.get());
        const GstSegment* segment = gst_sample_get_segment(sample.get());
        Clip::Unit unit{ByteBuffer(gst_buffer_get_size(buffer)),
                        runningTime(segment, GST_BUFFER_PTS(buffer)).value_or(0us),
                        runningTime(segment, GST_BUFFER_DTS(buffer)),
                        !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)};
        gst_buffer_extract(buffer, 0, unit.data.data(), unit.data.size());
        clip.units.push_back(std::move(unit));
    }
    return clip;
}

Clip testClip(const std::string& encoder, int pictures = 60) {
    return clipOf("videotestsrc num-buffers=" + std::to_string(pictures) +
                  " ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! " + encoder);
}

const std::string kH264 = " ! h264parse ! video/x-h264,stream-format=avc,alignment=au";
const std::string kH265 = " ! h265parse ! video/x-h265,stream-format=hvc1,alignment=au";
const std::string kZeroLatency = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30";
const std::string kTwoBFrames = "x264enc bframes=2 b-adapt=false speed-preset=veryfast key-int-max=30";

enum class DecodeTimesBy { source, muxer };

ByteBuffer muxed(const Clip& clip, DecodeTimesBy by) {
    ByteBuffer out = initSegment(clip.format);
    CmafMuxer muxer;
    DecodeTimes times(reorderDepth(clip.format).value_or(0));
    for (const Clip::Unit& unit : clip.units) {
        AccessUnit access{unit.data, unit.pts, unit.dts, 33333us, unit.keyFrame};
        if (by == DecodeTimesBy::muxer) access.dts = times.next(unit.pts);
        const ByteBuffer fragment = muxer.fragment(access);
        out.insert(out.end(), fragment.begin(), fragment.end());
    }
    return out;
}

struct Output {
    int status = -1;
    std::string text;
    std::string complaints;
};

Output run(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    g_autofree char* text = nullptr;
    g_autofree char* complaints = nullptr;
    Output output;
    if (g_spawn_sync(nullptr, argv.data(), nullptr, G_SPAWN_SEARCH_PATH, nullptr, nullptr, &text, &complaints,
                     &output.status, nullptr)) {
        output.text = text;
        output.complaints = complaints;
    }
    return output;
}

struct Packet {
    std::int64_t pts = 0;
    std::int64_t dts = 0;
    bool keyFrame = false;
};

bool ffmpegIsHere() {
    for (const char* program : {"ffmpeg", "ffprobe"}) {
        g_autofree char* path = g_find_program_in_path(program);
        if (path != nullptr) continue;
        MESSAGE("skipped: there is no ", std::string(program));
        return false;
    }
    return true;
}

/// What ffprobe reads from the bytes. Neither it nor ffmpeg, which decodes them all, may have anything to
/// say.
std::vector<Packet> probed(const ByteBuffer& file) {
    const test::TempFolder folder;
    const std::string path = folder.path() + "/clip.mp4";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
    const Output decoded = run({"ffmpeg", "-v", "warning", "-i", path, "-f", "null", "-"});
    CHECK(decoded.status == 0);
    CHECK(decoded.complaints == "");
    const Output listed =
        run({"ffprobe", "-v", "warning", "-show_entries", "packet=pts,dts,flags", "-of", "csv=p=0", path});
    CHECK(listed.status == 0);
    CHECK(listed.complaints == "");
    std::vector<Packet> packets;
    std::istringstream lines(listed.text);
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) continue;
        Packet packet;
        char flag = 0;
        REQUIRE(std::sscanf(line.c_str(), "%" SCNd64 ",%" SCNd64 ",%c", &packet.pts, &packet.dts, &flag) ==
                3);
        packet.keyFrame = flag == 'K';
        packets.push_back(packet);
    }
    return packets;
}

/// ffprobe sees every unit, at its time, decode times strictly increasing.
void checkReadBack(const Clip& clip, const ByteBuffer& file) {
    if (!ffmpegIsHere()) return;
    const std::vector<Packet> packets = probed(file);
    REQUIRE(packets.size() == clip.units.size());
    for (std::size_t i = 0; i < packets.size(); ++i) {
        CAPTURE(i);
        CHECK(packets[i].pts == clip.units[i].pts.count());
        CHECK(packets[i].keyFrame == clip.units[i].keyFrame);
        if (i > 0) CHECK(packets[i].dts > packets[i - 1].dts);
    }
}

std::optional<std::string> sharedFile(const std::string& name) {
    const char* shared = std::getenv("EDGECAM_SHARED");
    const std::string path = std::string(shared ? shared : "../shared") + "/" + name;
    if (std::filesystem::exists(path)) return path;
    MESSAGE("skipped: there is no " << path);
    return std::nullopt;
}

std::uint32_t u32At(const ByteBuffer& bytes, std::size_t at) {
    REQUIRE(at + 4 <= bytes.size());
    return ByteReader(ByteView(bytes).subspan(at)).u32().value();
}

std::uint64_t decodeTimeOf(const ByteBuffer& fragment) {
    return std::uint64_t{u32At(fragment, 60)} << 32 | u32At(fragment, 64);
}

std::string hex(ByteView bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

}  // namespace

TEST_CASE("The init segment is the one that was agreed, to the byte") {
    const ByteBuffer init = initSegment({Codec::h264, kAvcC, {640, 480}});
    CHECK(hex(init) == kGoldenInit);
}

TEST_CASE("Equal formats give equal init segments, and each byte of the codec data counts") {
    TrackFormat format{Codec::h264, kAvcC, {640, 480}};
    const ByteBuffer init = initSegment(format);
    CHECK(initSegment(format) == init);
    format.codecData.back() ^= 1;
    CHECK(initSegment(format) != init);
}

TEST_CASE("A fragment has its duration and its sample at fixed places, with B-frames and without") {
    const ByteBuffer sample{0, 0, 0, 1, 0x65};
    CmafMuxer muxer;
    const AccessUnit plain{sample, 1000us, std::nullopt, 40000us, true};
    const AccessUnit reordered{sample, 90000us, 2000us, 40000us, false};
    for (const AccessUnit& unit : {plain, reordered}) {
        const ByteBuffer fragment = muxer.fragment(unit);
        CHECK(u32At(fragment, kSampleDurationOffset) == 40000);
        CHECK(u32At(fragment, kSampleDurationOffset + 4) == sample.size());
        CHECK(u32At(fragment, kSampleDurationOffset + 8) == (unit.keyFrame ? 0x02000000 : 0x01010000));
        CHECK(u32At(fragment, kSampleDurationOffset + 12) == (unit.keyFrame ? 0 : 88000));
        CHECK(u32At(fragment, 0) == kSampleOffset - 8);
        CHECK(u32At(fragment, kSampleOffset - 8) == sample.size() + 8);
        CHECK(ByteBuffer(fragment.begin() + kSampleOffset, fragment.end()) == sample);
    }
}

TEST_CASE("Decode times strictly increase, whatever the source says") {
    const ByteBuffer sample{0, 0, 0, 1, 0x41};
    CmafMuxer muxer;
    std::vector<std::uint64_t> times;
    for (const Microseconds pts : {-50us, 0us, 33333us, 33333us, 33333us, 20000us, 66666us}) {
        const ByteBuffer fragment = muxer.fragment({sample, pts, std::nullopt, 33333us, false});
        times.push_back(decodeTimeOf(fragment));
        CHECK(u32At(fragment, kSampleDurationOffset + 12) == 0);  // moved in time, but not reordered
    }
    CHECK(times == std::vector<std::uint64_t>{0, 1, 33333, 33334, 33335, 33336, 66666});
    CHECK(muxer.lastDecodeTime() == 66666us);
}

TEST_CASE("A picture may be shown before the decode time that the last one pushed it to") {
    const ByteBuffer sample{0, 0, 0, 1, 0x41};
    CmafMuxer muxer;
    static_cast<void>(muxer.fragment({sample, 100us, 50us, 33333us, false}));
    const ByteBuffer fragment = muxer.fragment({sample, 40us, 50us, 33333us, false});
    CHECK(decodeTimeOf(fragment) == 51);
    CHECK(static_cast<std::int32_t>(u32At(fragment, kSampleDurationOffset + 12)) == -11);
}

TEST_CASE("Times beyond what a field holds are cut, not wrapped") {
    const ByteBuffer sample{0, 0, 0, 1, 0x41};
    CmafMuxer muxer;
    const ByteBuffer fragment =
        muxer.fragment({sample, std::chrono::hours(2), 0us, std::chrono::hours(2), false});
    CHECK(u32At(fragment, kSampleDurationOffset) == 0xffffffff);
    CHECK(u32At(fragment, kSampleDurationOffset + 12) == 0x7fffffff);
}

TEST_CASE("Decode times are made from presentation times") {
    DecodeTimes times(2);
    std::vector<std::int64_t> made;
    for (const auto pts : {100us, 220us, 140us, 180us, 340us, 260us, 300us})
        made.push_back(times.next(pts).count());
    CHECK(made == std::vector<std::int64_t>{98, 99, 100, 140, 180, 220, 260});
}

TEST_CASE("Decode times near the start and after a jump back still increase") {
    DecodeTimes times(2);
    std::vector<std::int64_t> made;
    for (const auto pts : {0us, 120us, 40us, 80us, 10us, 20us}) made.push_back(times.next(pts).count());
    CHECK(made == std::vector<std::int64_t>{0, 1, 2, 40, 41, 42});
}

TEST_CASE("Without reordering the decode time is the presentation time") {
    for (const int depth : {0, -3}) {
        DecodeTimes times(depth);
        CHECK(times.next(5us) == 5us);
        CHECK(times.next(9us) == 9us);
        CHECK(times.next(9us) == 10us);
    }
}

TEST_CASE("Zero-latency H.264 is read back by ffprobe and ffmpeg without a word") {
    const Clip clip = testClip(kZeroLatency + kH264);
    REQUIRE(clip.units.size() == 60);
    CHECK(reorderDepth(clip.format) == 0);
    checkReadBack(clip, muxed(clip, DecodeTimesBy::source));
}

TEST_CASE(
    "H.264 with B-frames keeps its presentation times, with the source's decode times and with our own") {
    const Clip clip = testClip(kTwoBFrames + kH264);
    REQUIRE(clip.units.size() == 60);
    CHECK(reorderDepth(clip.format).value_or(0) > 0);
    checkReadBack(clip, muxed(clip, DecodeTimesBy::source));
    checkReadBack(clip, muxed(clip, DecodeTimesBy::muxer));
}

TEST_CASE("H.265 is read back by ffprobe and ffmpeg without a word") {
    if (!elementExists("x265enc")) {
        MESSAGE("skipped: there is no x265enc");
        return;
    }
    for (const char* options : {"bframes=0", "bframes=3"}) {
        CAPTURE(std::string(options));
        const Clip clip = testClip(
            "x265enc log-level=error speed-preset=ultrafast option-string=" + std::string(options) + kH265,
            30);
        REQUIRE(clip.units.size() == 30);
        CHECK(clip.format.codec == Codec::h265);
        CHECK((reorderDepth(clip.format).value_or(-1) > 0) == (std::string(options) == "bframes=3"));
        checkReadBack(clip, muxed(clip, DecodeTimesBy::muxer));
    }
}

TEST_CASE("Real clips with B-frames are read back by ffprobe and ffmpeg without a word") {
    for (const char* name : {"media/clips/asl_again.mp4", "media/clips/classroom.mp4"}) {
        const auto path = sharedFile(name);
        if (!path) continue;
        const Clip clip = clipOf("filesrc name=in ! qtdemux" + kH264, *path);
        REQUIRE(clip.units.size() > 40);
        CHECK(reorderDepth(clip.format) == 2);
        checkReadBack(clip, muxed(clip, DecodeTimesBy::muxer));
    }
}

TEST_CASE("A declared reordering can be said anew, and nothing else of the record changes") {
    const Clip clip = testClip(kZeroLatency + kH264, 30);
    const ByteBuffer& truth = clip.format.codecData;
    REQUIRE(avcReorderDepth(truth) == 0);
    for (const int depth : {1, 2, 3, 16}) {
        CAPTURE(depth);
        const auto lie = avcWithReorderDepth(truth, depth);
        REQUIRE(lie);
        CHECK(avcReorderDepth(*lie) == depth);
        CHECK(avcWithReorderDepth(*lie, 0) == truth);
    }
    Clip lying = clip;
    lying.format.codecData = *avcWithReorderDepth(truth, 1);
    checkReadBack(lying, muxed(lying, DecodeTimesBy::source));
    CHECK_FALSE(avcWithReorderDepth(kAvcC, 0));  // says nothing of it
    CHECK_FALSE(avcWithReorderDepth(ByteView(), 0));
}

TEST_CASE("Codec strings follow RFC 6381") {
    CHECK(*codecString({Codec::h264, kAvcC, {}}) == "avc1.42c01e");
    // The example of ISO/IEC 14496-15 annex E.3, and one with a profile space and all constraint bytes.
    ByteBuffer hvcC(23, 0);
    hvcC[0] = 1;
    hvcC[1] = 1;
    hvcC[2] = 0x60;
    hvcC[6] = 0xb0;
    hvcC[12] = 93;
    CHECK(*codecString({Codec::h265, hvcC, {}}) == "hvc1.1.6.L93.B0");
    hvcC[1] = 0x40 | 0x20 | 2;
    hvcC[11] = 5;
    CHECK(*codecString({Codec::h265, hvcC, {}}) == "hvc1.A2.6.H93.B0.0.0.0.0.5");
    CHECK(codecString({Codec::h264, {1, 2, 3}, {}}).error().message == "the avcC record is too short");
    CHECK_FALSE(codecString({Codec::h265, ByteBuffer(22, 1), {}}));
    CHECK_FALSE(codecString({Codec::h265, ByteBuffer(23, 2), {}}));
    CHECK_FALSE(codecString({Codec::jpeg, kAvcC, {}}));
}

TEST_CASE("Broken decoder configuration records are answered, never followed") {
    const Clip h264 = testClip(kTwoBFrames + kH264, 3);
    std::vector<ByteBuffer> records{kAvcC, h264.format.codecData};
    if (elementExists("x265enc")) {
        records.push_back(
            testClip("x265enc log-level=error speed-preset=ultrafast" + kH265, 3).format.codecData);
    }
    const auto ask = [](const ByteBuffer& record) {
        for (const auto depth : {avcReorderDepth(record), hevcReorderDepth(record)}) {
            if (depth) CHECK((*depth >= 0 && *depth <= 16));
        }
        if (const auto plain = avcWithReorderDepth(record, 0)) CHECK(avcReorderDepth(*plain) == 0);
        static_cast<void>(avcCodecString(record));
        static_cast<void>(hevcCodecString(record));
    };
    std::mt19937 random(7);
    for (const ByteBuffer& record : records) {
        for (std::size_t length = 0; length <= record.size(); ++length) {
            ask(ByteBuffer(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(length)));
        }
        for (int round = 0; round < 5000; ++round) {
            ByteBuffer mutated = record;
            for (int i = 0; i < 3; ++i)
                mutated[random() % mutated.size()] = static_cast<std::uint8_t>(random());
            ask(mutated);
        }
    }
    ask(ByteBuffer(70000, 0));
    ask(ByteBuffer(70000, 0xff));
}
