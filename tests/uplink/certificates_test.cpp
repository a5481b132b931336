#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temp_folder.hpp"
#include "uplink/certificate_files.hpp"
#include "uplink/own_certificate.hpp"

using namespace edgecam;
using namespace edgecam::uplink;
using edgecam::test::TempFolder;

namespace {

unsigned modeOf(const std::string& path) {
    struct stat about {};
    REQUIRE(stat(path.c_str(), &about) == 0);
    return about.st_mode & 0777U;
}

ServerTls madeIn(const std::string& folder) {
    const auto files = ownCertificate(folder, "box-7", "192.0.2.7");
    REQUIRE_MESSAGE(files, (files ? "" : files.error().message));
    return *files;
}

Utc dayOf(int year, unsigned month, unsigned day) {
    using namespace std::chrono;
    const year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    return Utc(sys_days(date).time_since_epoch());
}

std::string whyNot(const Result<void>& result) {
    return result ? "" : result.error().message;
}

}  // namespace

TEST_SUITE("certificates") {
    TEST_CASE("the box's own certificate is made once, its key is private, and it does not end") {
        const TempFolder folder;
        const ServerTls files = madeIn(folder.path());
        CHECK(modeOf(files.keyFile) == 0600);
        CHECK(checkKey(files.keyFile, files.certificateFile));
        CHECK(checkDates(files.certificateFile, dayOf(2026, 1, 1)));
        CHECK(checkDates(files.certificateFile, dayOf(2049, 12, 30)));
        const auto first = fingerprintOf(files.certificateFile);
        REQUIRE(first);
        CHECK(first->size() == 32 * 3 - 1);
        CHECK(*fingerprintOf(madeIn(folder.path()).certificateFile) == *first);
        std::filesystem::remove(files.certificateFile);  // as when the power went before it was written
        CHECK(*fingerprintOf(madeIn(folder.path()).certificateFile) != *first);
        CHECK(checkKey(files.keyFile, files.certificateFile));
    }

    TEST_CASE("a file that cannot be used is named, with what is wrong and none of its content") {
        const TempFolder folder;
        const TempFolder other;
        const ServerTls files = madeIn(folder.path());
        const std::string odd = folder.path() + "/odd.pem";
        std::ofstream(odd) << "hush, this is no PEM\n";
        const std::string absent = folder.path() + "/absent.pem";
        CHECK(whyNot(checkCertificate(absent)) == absent + " cannot be read: No such file or directory");
        CHECK(whyNot(checkCertificate(odd)) == odd + " holds no certificate in PEM form");
        CHECK(whyNot(checkCertificate(files.keyFile)).find("holds no certificate") != std::string::npos);
        CHECK(whyNot(checkAuthorities(odd)) == odd + " holds no certificate in PEM form");
        CHECK(whyNot(checkKey(odd, files.certificateFile)).starts_with(odd + " holds no private key"));
        CHECK(whyNot(checkKey(absent, files.certificateFile)).starts_with(absent + " cannot be read: "));
        const std::string foreign = madeIn(other.path()).keyFile;
        CHECK(whyNot(checkKey(foreign, files.certificateFile)) ==
              foreign + " is not the key of the certificate " + files.certificateFile);
        CHECK_FALSE(checkCertificate(folder.path()));
        CHECK(whyNot(checkDates(files.certificateFile, dayOf(2019, 5, 5))) ==
              files.certificateFile + " is not valid before 2020-01-01");
        CHECK(whyNot(checkDates(files.certificateFile, dayOf(2050, 1, 2))) ==
              files.certificateFile + " expired on 2049-12-31");
    }

    TEST_CASE("a key of its own that does not fit is not replaced in silence") {
        const TempFolder folder;
        const TempFolder other;
        const ServerTls files = madeIn(folder.path());
        std::filesystem::copy_file(madeIn(other.path()).keyFile, files.keyFile,
                                   std::filesystem::copy_options::overwrite_existing);
        const auto again = ownCertificate(folder.path(), "box-7", "*");
        REQUIRE_FALSE(again);
        CHECK(again.error().message.ends_with("; remove both files to get new ones"));
        CHECK_FALSE(ownCertificate(folder.path() + "/absent", "box-7", "*"));
    }

    TEST_CASE("a host name that no certificate can hold stays out of it") {
        const TempFolder folder;
        CHECK(ownCertificate(folder.path(), "b\xc3\xb6x", "::"));
        const TempFolder nameless;
        CHECK(ownCertificate(nameless.path(), "", "0.0.0.0"));
        const TempFolder wordy;
        CHECK(ownCertificate(wordy.path(), std::string(200, 'b'), "2001:db8::7"));
    }
}
