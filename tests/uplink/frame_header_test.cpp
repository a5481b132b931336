#include "uplink/frame_header.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "tests/uplink/session_bench.hpp"

using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

/// Bytes of a .hex file: lines of hexadecimal bytes, `#` begins a comment.
ByteBuffer bytesOf(const std::string& text) {
    ByteBuffer bytes;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        for (std::string word; words >> word;) {
            bytes.push_back(static_cast<std::uint8_t>(std::stoul(word, nullptr, 16)));
        }
    }
    return bytes;
}

std::string hexOf(ByteView bytes) {
    std::string hex;
    for (const std::uint8_t byte : bytes) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

}  // namespace

TEST_CASE("the binary examples of the protocol mean what their JSON says") {
    for (const auto& path : filesIn(protocolFolder() / "binary", ".hex")) {
        CAPTURE(path.filename().string());
        const ByteBuffer message = bytesOf(readFile(path));
        auto expectedPath = path;
        const auto expected = parseJson(readFile(expectedPath.replace_extension(".json")));
        REQUIRE(expected);
        const auto frame = parseFrame(message);
        REQUIRE(frame);
        const JsonValue& want = *expected;
        CHECK(static_cast<int>(frame->header.kind) == want["kind"].GetInt());
        CHECK(frame->header.flags == want["flags"].GetUint());
        CHECK(((frame->header.flags & FrameHeader::kKeyFrame) != 0) == want["key_frame"].GetBool());
        CHECK(((frame->header.flags & FrameHeader::kDiscontinuity) != 0) == want["discontinuity"].GetBool());
        CHECK(frame->header.channel == want["channel"].GetUint());
        CHECK(frame->header.sequence == want["sequence"].GetUint());
        CHECK(frame->header.partOffset == want["part_offset"].GetUint());
        CHECK(frame->header.captureUs == want["capture_us"].GetUint64());
        CHECK(frame->header.payloadLength == want["payload_length"].GetUint());
        CHECK(hexOf(frame->part) == want["part"].GetString());
        const auto end = frame->header.partOffset + frame->part.size();
        CHECK((end == frame->header.payloadLength) == want["last_part"].GetBool());
        if (message[3] == FrameHeader::kSize) {
            const auto encoded = encodeHeader(frame->header);
            CHECK(hexOf(encoded) == hexOf(ByteView(message).first(FrameHeader::kSize)));
        }
    }
}

TEST_CASE("what is no frame is refused") {
    const auto header = encodeHeader({});
    ByteBuffer message(header.begin(), header.end());
    REQUIRE(parseFrame(message));
    CHECK_FALSE(parseFrame(ByteView(message).first(31)));
    CHECK_FALSE(parseFrame({}));

    ByteBuffer otherVersion = message;
    otherVersion[0] = 2;
    CHECK_FALSE(parseFrame(otherVersion));

    ByteBuffer shortHeader = message;
    shortHeader[3] = 31;
    CHECK_FALSE(parseFrame(shortHeader));
    shortHeader[3] = 33;  // longer than the message
    CHECK_FALSE(parseFrame(shortHeader));

    ByteBuffer beyond = message;
    beyond.push_back(0);  // a part of one byte in a payload of none
    CHECK_FALSE(parseFrame(beyond));
    for (std::size_t i = 12; i < 16; ++i) beyond[i] = 0xFF;  // an offset that would wrap around
    CHECK_FALSE(parseFrame(beyond));
}

TEST_CASE("unknown kinds and flags pass") {
    FrameHeader header;
    header.kind = static_cast<ChunkKind>(200);
    header.flags = 0xFF;
    const auto frame = parseFrame(encodeHeader(header));
    REQUIRE(frame);
    CHECK(frame->header == header);
}

TEST_CASE("a payload is cut into parts that fit together again") {
    const std::size_t partBytes = 10;
    for (const std::size_t size : {0U, 1U, 9U, 10U, 11U, 20U, 35U}) {
        CAPTURE(size);
        Chunk chunk = keyOf(3, 7, 1234);
        ByteBuffer payload(size);
        for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<std::uint8_t>(i);
        chunk.payload = share(payload);
        chunk.discontinuity = true;
        chunk.madeAt = Monotonic(std::chrono::seconds(7));

        const auto parts = cutIntoParts(chunk, partBytes);
        CHECK(parts.size() == std::max<std::size_t>(1, (size + partBytes - 1) / partBytes));
        ByteBuffer joined;
        for (const WireMessage& part : parts) {
            CHECK(part.isBinary());
            CHECK(part.madeAt().has_value() == (&part == &parts.back()));
            const auto frame = parseFrame(part.bytes());
            REQUIRE(frame);
            CHECK(frame->header.channel == 7);
            CHECK(frame->header.sequence == 1234);
            CHECK(frame->header.flags == (FrameHeader::kKeyFrame | FrameHeader::kDiscontinuity));
            CHECK(frame->header.payloadLength == size);
            CHECK(frame->header.partOffset == joined.size());
            CHECK(frame->header.captureUs == microsecondsOf(chunk.captureTime));
            joined.insert(joined.end(), frame->part.begin(), frame->part.end());
        }
        CHECK(joined == payload);
    }
}

TEST_CASE("in front of a message lies room for the socket's own header") {
    const auto message = WireMessage::text("{}");
    CHECK_FALSE(message.isBinary());
    CHECK(message.size() == 2);
    for (std::size_t i = 1; i <= WireMessage::kHeadroom; ++i) *(message.payload() - i) = 0xAA;
    CHECK(message.bytes()[0] == '{');
    CHECK(message.payload() == message.bytes().data());
}
