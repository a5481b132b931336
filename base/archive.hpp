// Archive: plain values to bytes and back, between processes of one agent. Not a format to keep: both ends
// are the same program. A reader believes no length and no tag: bytes that do not add up leave defaults
// behind, and it says so. A struct takes part by a function `fields(archive, value)` that names its members
// in order, once for both ways.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"

namespace edgecam {

template <class T>
concept ArchivedAsNumber = std::is_integral_v<T> || std::is_enum_v<T>;

class ArchiveWriter {
  public:
    explicit ArchiveWriter(ByteBuffer& out) : out_(out) {}

    template <class... Items>
    void operator()(Items&... items) {
        (put(items), ...);
    }

  private:
    template <ArchivedAsNumber T>
    void put(T item) {
        out_.u64(static_cast<std::uint64_t>(item));
    }
    void put(double item) {
        std::uint64_t bits = 0;
        std::memcpy(&bits, &item, sizeof bits);
        out_.u64(bits);
    }
    void put(float item) { put(static_cast<double>(item)); }
    void put(const std::string& item) {
        out_.u64(item.size());
        out_.bytes(item);
    }
    template <class Rep, class Period>
    void put(const std::chrono::duration<Rep, Period>& item) {
        put(item.count());
    }
    template <class Clock, class Duration>
    void put(const std::chrono::time_point<Clock, Duration>& item) {
        put(item.time_since_epoch());
    }
    void put(const SharedBytes& item) {
        out_.u64(item ? item->size() + 1 : 0);
        if (item) out_.bytes(ByteView(*item));
    }
    template <class T>
    void put(const std::shared_ptr<const T>& item) {
        put(item != nullptr);
        if (item) put(*item);
    }
    template <class T>
    void put(const std::optional<T>& item) {
        put(item.has_value());
        if (item) put(*item);
    }
    template <class T>
    void put(const std::vector<T>& items) {
        out_.u64(items.size());
        for (const T& item : items) put(item);
    }
    template <class T, std::size_t N>
    void put(const std::array<T, N>& items) {
        for (const T& item : items) put(item);
    }
    template <class Key, class T>
    void put(const std::map<Key, T>& items) {
        out_.u64(items.size());
        for (const auto& [key, item] : items) {
            put(key);
            put(item);
        }
    }
    template <class... Kinds>
    void put(const std::variant<Kinds...>& item) {
        out_.u64(item.index());
        std::visit([this](const auto& each) { this->put(each); }, item);
    }
    // The function names members for both ways, so it takes what it could change; a writer changes nothing.
    template <class T>
    requires std::is_class_v<T>
    void put(const T& item) {
        if constexpr (!std::is_empty_v<T>) fields(*this, const_cast<T&>(item));
    }

    ByteWriter out_;
};

class ArchiveReader {
  public:
    explicit ArchiveReader(ByteView in) : in_(in) {}

    template <class... Items>
    void operator()(Items&... items) {
        (take(items), ...);
    }
    /// Everything was there, and nothing is left.
    [[nodiscard]] bool complete() const { return ok_ && in_.remaining() == 0; }
    /// For `fields` of a type that can find more wrong than a length.
    void refuse() { ok_ = false; }

  private:
    std::uint64_t number() {
        const auto value = ok_ ? in_.u64() : std::nullopt;
        if (!value) ok_ = false;
        return value.value_or(0);
    }
    /// Of items that take a byte each at least.
    std::size_t count() {
        const std::uint64_t value = number();
        if (value > in_.remaining()) ok_ = false;
        return ok_ ? static_cast<std::size_t>(value) : 0;
    }

    template <ArchivedAsNumber T>
    void take(T& item) {
        const std::uint64_t value = number();
        if constexpr (std::is_same_v<T, bool>) {
            item = value != 0;
        } else {
            item = static_cast<T>(value);
        }
    }
    void take(double& item) {
        const std::uint64_t bits = number();
        std::memcpy(&item, &bits, sizeof item);
    }
    void take(float& item) {
        double value = 0;
        take(value);
        item = static_cast<float>(value);
    }
    void take(std::string& item) {
        const auto bytes = in_.bytes(count());
        item.assign(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    }
    template <class Rep, class Period>
    void take(std::chrono::duration<Rep, Period>& item) {
        Rep value{};
        take(value);
        item = std::chrono::duration<Rep, Period>(value);
    }
    template <class Clock, class Duration>
    void take(std::chrono::time_point<Clock, Duration>& item) {
        Duration since{};
        take(since);
        item = std::chrono::time_point<Clock, Duration>(since);
    }
    void take(SharedBytes& item) {
        item = nullptr;
        const std::uint64_t sizeAndOne = number();
        if (sizeAndOne == 0) return;
        if (sizeAndOne - 1 > in_.remaining()) return refuse();
        const auto bytes = in_.bytes(static_cast<std::size_t>(sizeAndOne - 1));
        item = share(ByteBuffer(bytes->begin(), bytes->end()));
    }
    template <class T>
    void take(std::shared_ptr<const T>& item) {
        bool present = false;
        take(present);
        item = nullptr;
        if (!present || !ok_) return;
        auto value = std::make_shared<T>();
        take(*value);
        item = std::move(value);
    }
    template <class T>
    void take(std::optional<T>& item) {
        bool present = false;
        take(present);
        item.reset();
        if (present && ok_) take(item.emplace());
    }
    template <class T>
    void take(std::vector<T>& items) {
        items.clear();
        for (std::size_t left = count(); left > 0 && ok_; --left) take(items.emplace_back());
    }
    template <class T, std::size_t N>
    void take(std::array<T, N>& items) {
        for (T& item : items) take(item);
    }
    template <class Key, class T>
    void take(std::map<Key, T>& items) {
        items.clear();
        for (std::size_t left = count(); left > 0 && ok_; --left) {
            Key key{};
            take(key);
            take(items[key]);
        }
    }
    template <class... Kinds>
    void take(std::variant<Kinds...>& item) {
        const std::uint64_t index = number();
        if (index >= sizeof...(Kinds)) return refuse();
        std::uint64_t at = 0;
        ((at++ == index ? (void)take(item.template emplace<Kinds>()) : void()), ...);
    }
    template <class T>
    requires std::is_class_v<T>
    void take(T& item) {
        if constexpr (!std::is_empty_v<T>) fields(*this, item);
    }

    ByteReader in_;
    bool ok_ = true;
};

}  // namespace edgecam
