#include <doctest/doctest.h>

#include "base/bytes.hpp"

using namespace edgecam;

TEST_CASE("integers are written big-endian") {
    ByteBuffer out;
    ByteWriter writer(out);
    writer.u8(0x01);
    writer.u16(0x0203);
    writer.u24(0x040506);
    writer.u32(0x0708090A);
    writer.u64(0x0B0C0D0E0F101112);
    REQUIRE(out.size() == 18);
    for (std::size_t i = 0; i < out.size(); ++i) CHECK(out[i] == i + 1);
}

TEST_CASE("a size known only at the end is patched where it belongs") {
    ByteBuffer out;
    ByteWriter writer(out);
    writer.u32(0);
    writer.bytes("abcd");
    writer.patchU32(0, 0x01020304);
    CHECK(out == ByteBuffer{1, 2, 3, 4, 'a', 'b', 'c', 'd'});
}

TEST_CASE("a reader gives back what a writer wrote and stops at the end") {
    ByteBuffer out;
    ByteWriter writer(out);
    writer.u16(0xBEEF);
    writer.u64(1234567890123);
    ByteReader reader(out);
    CHECK(reader.u16() == 0xBEEF);
    CHECK_FALSE(reader.bytes(9).has_value());
    CHECK(reader.remaining() == 8);
    CHECK(reader.u64() == 1234567890123);
    CHECK_FALSE(reader.u8().has_value());
}
