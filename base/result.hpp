// Result: a value, or the reason why there is none. The shape of C++23's std::expected, which GCC 12 lacks.
// An error is a sentence for a person; it gains context on the way up and is logged once, where it is
// handled.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace edgecam {

struct Error {
    std::string message;

    /// The same error, prefixed with what was being done: `Error{"no such file"}.within("model")`.
    [[nodiscard]] Error within(std::string_view context) const {
        return Error{std::string(context) + ": " + message};
    }
};

template <class T>
class [[nodiscard]] Result {
  public:
    // Implicit on purpose: `return value;` and `return Error{"…"};` are how functions end.
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }

    /// The value; only after a check (std::bad_variant_access otherwise).
    T& operator*() & { return std::get<0>(state_); }
    const T& operator*() const& { return std::get<0>(state_); }
    T&& operator*() && { return std::get<0>(std::move(state_)); }
    T* operator->() { return &std::get<0>(state_); }
    const T* operator->() const { return &std::get<0>(state_); }

    /// The error; only when there is no value.
    [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), failed_(true) {}

    explicit operator bool() const { return !failed_; }
    [[nodiscard]] const Error& error() const { return error_; }

  private:
    Error error_;
    bool failed_ = false;
};

}  // namespace edgecam
