// SQLite's handles as C++: a database file and its statements. The only header that knows sqlite3.h.
// Failures stick: the first one is kept, statements after it do nothing, and whoever ran them asks once.
// Thread-bound: whoever opens a file is the only one to use it.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace edgecam::uplink {

class SqliteFile {
  public:
    /// Creates the file if there is none. Statements made of it must be gone before close() and destruction.
    void open(const std::string& path);
    /// `asItIs`: leaves the write-ahead log beside the file, for somebody else to look at or to recover from.
    void close(bool asItIs);
    [[nodiscard]] bool isOpen() const { return handle_ != nullptr; }
    [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

    /// Runs statements that give no rows that anybody wants. Blocks on the disk.
    void run(const char* sql);

    void note(int code);  ///< keeps the first code that is a failure
    void note(int code, std::string message);
    [[nodiscard]] bool failed() const { return code_ != SQLITE_OK; }
    [[nodiscard]] int failure() const { return code_; }  ///< its primary code; SQLITE_OK: none
    /// The outcome since the last call; forgets it.
    Result<void> outcome();

  private:
    struct Closer {
        void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    };
    std::unique_ptr<sqlite3, Closer> handle_;
    int code_ = SQLITE_OK;
    std::string message_;
};

/// One prepared statement, used again and again. Borrows the file.
class Statement {
  public:
    Statement(SqliteFile& file, std::string_view sql);

    /// Binds all parameters anew, front to back. Texts and bytes must live until the statement is run.
    template <class... Values>
    Statement& with(const Values&... values) {
        restart();
        (bind(values), ...);
        return *this;
    }
    void bind(std::int64_t value);
    void bind(std::string_view text);
    void bind(ByteView bytes);

    /// Steps to the next row; false at the end and after a failure. Blocks on the disk.
    bool next();
    /// Runs to the end; returns how many rows it changed.
    std::int64_t run();
    /// The integer in the first column of the first row, 0 if there is none.
    std::int64_t number();

    // Columns of the row next() stepped to; views live until the next step.
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] ByteView bytes(int column) const;
    [[nodiscard]] bool isBytes(int column) const;

    void restart();  ///< lets go of the row, and so of the read transaction

  private:
    struct Finalizer {
        void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
    };
    SqliteFile& file_;
    std::unique_ptr<sqlite3_stmt, Finalizer> handle_;
    int bound_ = 0;
};

/// All or nothing: what is not committed is rolled back.
class Transaction {
  public:
    explicit Transaction(SqliteFile& file);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    /// False if this or anything before it failed; the file knows what. On return true it is on the disk.
    bool commit();

  private:
    SqliteFile& file_;
};

}  // namespace edgecam::uplink
