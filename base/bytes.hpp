// Bytes: views, shared immutable buffers, and big-endian writing and reading.
// Media bytes are made once and then shared by reference count; nobody changes them afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace edgecam {

using ByteView = std::span<const std::uint8_t>;
using ByteBuffer = std::vector<std::uint8_t>;
using SharedBytes = std::shared_ptr<const ByteBuffer>;

inline SharedBytes share(ByteBuffer bytes) {
    return std::make_shared<const ByteBuffer>(std::move(bytes));
}

inline ByteView viewOf(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Appends big-endian integers and bytes to a buffer it borrows.
class ByteWriter {
  public:
    explicit ByteWriter(ByteBuffer& out) : out_(out) {}

    void u8(std::uint8_t value) { out_.push_back(value); }
    void u16(std::uint16_t value) { put(value, 2); }
    void u24(std::uint32_t value) { put(value, 3); }
    void u32(std::uint32_t value) { put(value, 4); }
    void u64(std::uint64_t value) { put(value, 8); }
    void bytes(ByteView view) { out_.insert(out_.end(), view.begin(), view.end()); }
    void bytes(std::string_view text) { bytes(viewOf(text)); }
    void zeros(std::size_t count) { out_.insert(out_.end(), count, 0); }

    [[nodiscard]] std::size_t position() const { return out_.size(); }
    /// Overwrites four bytes written before, e.g. a box size known only at its end.
    void patchU32(std::size_t at, std::uint32_t value) {
        for (int i = 0; i < 4; ++i) {
            out_[at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
        }
    }

  private:
    void put(std::uint64_t value, int width) {
        for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
            out_.push_back(static_cast<std::uint8_t>(value >> shift));
        }
    }

    ByteBuffer& out_;
};

/// Reads big-endian integers from a view; past the end it yields nothing and stays where it is.
class ByteReader {
  public:
    explicit ByteReader(ByteView in) : in_(in) {}

    std::optional<std::uint8_t> u8() { return narrow<std::uint8_t>(1); }
    std::optional<std::uint16_t> u16() { return narrow<std::uint16_t>(2); }
    std::optional<std::uint32_t> u32() { return narrow<std::uint32_t>(4); }
    std::optional<std::uint64_t> u64() { return narrow<std::uint64_t>(8); }
    std::optional<ByteView> bytes(std::size_t count) {
        if (count > in_.size()) return std::nullopt;
        const ByteView taken = in_.first(count);
        in_ = in_.subspan(count);
        return taken;
    }
    [[nodiscard]] std::size_t remaining() const { return in_.size(); }

  private:
    template <class T>
    std::optional<T> narrow(std::size_t width) {
        const auto taken = bytes(width);
        if (!taken) return std::nullopt;
        std::uint64_t value = 0;
        for (const std::uint8_t byte : *taken) value = value << 8 | byte;
        return static_cast<T>(value);
    }

    ByteView in_;
};

}  // namespace edgecam
