#include "uplink/certificate_files.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>

#include "base/log.hpp"
#include "uplink/openssl_handle.hpp"

namespace edgecam::uplink {
namespace {

/// Only readable files reach OpenSSL, whose words for the others are no help.
Result<BioHandle> openFile(const std::string& file) {
    ERR_clear_error();
    BioHandle opened(BIO_new_file(file.c_str(), "r"));
    if (opened) return opened;
    const int code = errno;
    ERR_clear_error();
    return Error{concat(file, " cannot be read: ", std::strerror(code))};
}

Result<CertificateHandle> readCertificate(const std::string& file) {
    auto opened = openFile(file);
    if (!opened) return opened.error();
    CertificateHandle certificate(PEM_read_bio_X509(opened->get(), nullptr, &noPassphrase, nullptr));
    ERR_clear_error();
    if (!certificate) return Error{file + " holds no certificate in PEM form"};
    return certificate;
}

/// As people write it: 2026-01-31.
std::string dayOf(const ASN1_TIME* time) {
    std::tm parts{};
    std::array<char, 32> text{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return "?";
    return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts));
}

using AsnTime = std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)>;

/// Not by way of time_t, which ends in 2038 where it has 32 bits.
AsnTime asnTime(Utc time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d%02u%02u%02d%02d%02dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    AsnTime made(ASN1_TIME_new(), &ASN1_TIME_free);
    if (made) ASN1_TIME_set_string_X509(made.get(), text.data());
    return made;
}

}  // namespace

Result<void> checkCertificate(const std::string& file) {
    const auto certificate = readCertificate(file);
    if (!certificate) return certificate.error();
    return {};
}

Result<void> checkDates(const std::string& file, Utc now) {
    const auto certificate = readCertificate(file);
    if (!certificate) return certificate.error();
    const AsnTime present = asnTime(now);
    const ASN1_TIME* first = X509_get0_notBefore(certificate->get());
    const ASN1_TIME* last = X509_get0_notAfter(certificate->get());
    if (ASN1_TIME_compare(last, present.get()) < 0) {
        return Error{concat(file, " expired on ", dayOf(last))};
    }
    if (ASN1_TIME_compare(first, present.get()) > 0) {
        return Error{concat(file, " is not valid before ", dayOf(first))};
    }
    return {};
}

Result<void> checkKey(const std::string& file, const std::string& certificateFile) {
    const auto certificate = readCertificate(certificateFile);
    if (!certificate) return certificate.error();
    auto opened = openFile(file);
    if (!opened) return opened.error();
    const KeyHandle key(PEM_read_bio_PrivateKey(opened->get(), nullptr, &noPassphrase, nullptr));
    ERR_clear_error();
    if (!key) return Error{file + " holds no private key in PEM form without a passphrase"};
    const bool fits = X509_check_private_key(certificate->get(), key.get()) == 1;
    ERR_clear_error();
    if (!fits) return Error{concat(file, " is not the key of the certificate ", certificateFile)};
    return {};
}

Result<void> checkAuthorities(const std::string& file) {
    return checkCertificate(file);
}

Result<std::string> fingerprintOf(const std::string& certificateFile) {
    const auto certificate = readCertificate(certificateFile);
    if (!certificate) return certificate.error();
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate->get(), EVP_sha256(), digest.data(), &size) != 1) {
        return Error{concat(certificateFile, ": ", opensslTrouble())};
    }
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        std::array<char, 4> pair{};
        std::snprintf(pair.data(), pair.size(), "%02X", digest[i]);
        text += (i > 0 ? ":" : "") + std::string(pair.data());
    }
    return text;
}

}  // namespace edgecam::uplink
