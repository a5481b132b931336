#include "uplink/sqlite.hpp"

#include <utility>

namespace edgecam::uplink {

void SqliteFile::open(const std::string& path) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(
        path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(handle);  // there is one even after most failures, to ask for the reason
    if (handle != nullptr) sqlite3_extended_result_codes(handle, 1);
    code_ = SQLITE_OK;
    note(code);
}

void SqliteFile::close(bool asItIs) {
    if (asItIs && handle_) {
        sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    }
    handle_.reset();
    code_ = SQLITE_OK;
}

void SqliteFile::run(const char* sql) {
    if (failed()) return;
    note(sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr));
}

void SqliteFile::note(int code) {
    if (failed() || code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
    std::string message = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
    if (code != (code & 0xff)) message += " (SQLite " + std::to_string(code) + ")";  // says which operation
    note(code, std::move(message));
}

void SqliteFile::note(int code, std::string message) {
    if (failed()) return;
    code_ = code & 0xff;  // the primary code
    message_ = std::move(message);
}

Result<void> SqliteFile::outcome() {
    if (!failed()) return {};
    code_ = SQLITE_OK;
    return Error{message_};
}

Statement::Statement(SqliteFile& file, std::string_view sql) : file_(file) {
    if (file.failed()) return;
    sqlite3_stmt* handle = nullptr;
    file.note(sqlite3_prepare_v3(file.handle(), sql.data(), static_cast<int>(sql.size()),
                                 SQLITE_PREPARE_PERSISTENT, &handle, nullptr));
    handle_.reset(handle);
}

void Statement::restart() {
    bound_ = 0;
    if (handle_) sqlite3_reset(handle_.get());  // answers the failure of the last step once more: known
}

void Statement::bind(std::int64_t value) {
    if (handle_) file_.note(sqlite3_bind_int64(handle_.get(), ++bound_, value));
}

void Statement::bind(std::string_view text) {
    if (!handle_) return;
    file_.note(sqlite3_bind_text(handle_.get(), ++bound_, text.data(), static_cast<int>(text.size()),
                                 SQLITE_STATIC));
}

void Statement::bind(ByteView bytes) {
    if (!handle_) return;
    file_.note(sqlite3_bind_blob(handle_.get(), ++bound_, bytes.data(), static_cast<int>(bytes.size()),
                                 SQLITE_STATIC));
}

bool Statement::next() {
    if (!handle_ || file_.failed()) return false;
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    file_.note(code);
    restart();
    return false;
}

std::int64_t Statement::run() {
    while (next()) {
    }
    return file_.failed() ? 0 : sqlite3_changes64(file_.handle());
}

std::int64_t Statement::number() {
    const std::int64_t value = next() ? integer(0) : 0;
    restart();
    return value;
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(handle_.get(), column);
}

std::string_view Statement::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    return {text != nullptr ? text : "",
            static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

ByteView Statement::bytes(int column) const {
    const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_.get(), column));
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

bool Statement::isBytes(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_BLOB;
}

Transaction::Transaction(SqliteFile& file) : file_(file) {
    file_.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    // After some failures SQLite has rolled back by itself, and says so by being in autocommit mode.
    if (file_.isOpen() && sqlite3_get_autocommit(file_.handle()) == 0) {
        sqlite3_exec(file_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

bool Transaction::commit() {
    file_.run("COMMIT");
    return !file_.failed();
}

}  // namespace edgecam::uplink
