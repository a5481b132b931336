#include "uplink/own_certificate.hpp"

#include <glib.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <filesystem>
#include <string_view>

#include "base/log.hpp"
#include "uplink/certificate_files.hpp"
#include "uplink/openssl_handle.hpp"

namespace edgecam::uplink {
namespace {

// Not now and some years: a box without a battery may take 1970 for now. The end is the last that every
// client's reading of two-digit years allows (RFC 5280 section 4.1.2.5).
constexpr const char* kBegin = "20200101000000Z";
constexpr const char* kEnd = "20491231235959Z";
constexpr int kVersion3 = 2;
// RFC 5280 section 4.1.2.2: positive, at most 20 bytes.
constexpr std::size_t kSerialBytes = 16;

using NamesHandle = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<&GENERAL_NAMES_free>>;
using NameHandle = std::unique_ptr<GENERAL_NAME, OpensslDeleter<&GENERAL_NAME_free>>;
using NumberHandle = std::unique_ptr<BIGNUM, OpensslDeleter<&BN_free>>;
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, OpensslDeleter<&X509_EXTENSION_free>>;

/// False for what is neither an address nor a name in ASCII: such a name just stays out.
bool addName(GENERAL_NAMES* names, const std::string& text) {
    NameHandle name(GENERAL_NAME_new());
    if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str())) {
        GENERAL_NAME_set0_value(name.get(), GEN_IPADD, address);
    } else {
        if (text.empty() || g_str_is_ascii(text.c_str()) == 0) return false;
        ASN1_IA5STRING* host = ASN1_IA5STRING_new();
        ASN1_STRING_set(host, text.data(), static_cast<int>(text.size()));
        GENERAL_NAME_set0_value(name.get(), GEN_DNS, host);
    }
    return sk_GENERAL_NAME_push(names, name.release()) > 0;
}

NamesHandle namesOf(const std::string& hostName, const std::string& address) {
    NamesHandle names(GENERAL_NAMES_new());
    for (const char* loopback : {"localhost", "127.0.0.1", "::1"}) addName(names.get(), loopback);
    if (!hostName.empty() && hostName != "localhost") {
        addName(names.get(), hostName);
        if (hostName.find('.') == std::string::npos) addName(names.get(), hostName + ".local");
    }
    const bool single = address != "*" && address != "0.0.0.0" && address != "::";
    if (single && address != "127.0.0.1" && address != "::1") addName(names.get(), address);
    return names;
}

bool addExtension(X509* certificate, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool setSerial(X509* certificate) {
    std::array<unsigned char, kSerialBytes> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
    bytes[0] &= 0x7f;
    const NumberHandle number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool setSubject(X509* certificate, const std::string& hostName) {
    X509_NAME* subject = X509_get_subject_name(certificate);
    const std::string name = hostName.empty() ? "edgecam" : hostName.substr(0, ub_common_name);
    const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
    return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>("edgecam"), -1, -1, 0) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1;
}

CertificateHandle sign(EVP_PKEY* key, const std::string& hostName, const std::string& address) {
    CertificateHandle certificate(X509_new());
    X509* made = certificate.get();
    const NamesHandle names = namesOf(hostName, address);
    const bool done =
        X509_set_version(made, kVersion3) == 1 && setSerial(made) && setSubject(made, hostName) &&
        ASN1_TIME_set_string_X509(X509_getm_notBefore(made), kBegin) == 1 &&
        ASN1_TIME_set_string_X509(X509_getm_notAfter(made), kEnd) == 1 && X509_set_pubkey(made, key) == 1 &&
        X509_add1_ext_i2d(made, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1 &&
        // Firefox takes no authority's certificate for a server's.
        addExtension(made, NID_basic_constraints, "critical,CA:FALSE") &&
        addExtension(made, NID_key_usage, "critical,digitalSignature") &&
        addExtension(made, NID_ext_key_usage, "serverAuth") &&
        addExtension(made, NID_subject_key_identifier, "hash") && X509_sign(made, key, EVP_sha256()) > 0;
    return done ? std::move(certificate) : nullptr;
}

Result<void> keep(const std::string& file, BIO* content, int mode) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(content, &text);
    g_autoptr(GError) error = nullptr;
    const auto flags =
        static_cast<GFileSetContentsFlags>(G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE);
    if (g_file_set_contents_full(file.c_str(), text, size, flags, mode, &error) != 0) return {};
    return Error{error->message};
}

Result<void> make(const ServerTls& files, const std::string& hostName, const std::string& address) {
    ERR_clear_error();
    const KeyHandle key(EVP_EC_gen("P-256"));
    const CertificateHandle certificate = key ? sign(key.get(), hostName, address) : nullptr;
    const BioHandle keyText(BIO_new(BIO_s_mem()));
    const BioHandle certificateText(BIO_new(BIO_s_mem()));
    if (!certificate ||
        PEM_write_bio_PrivateKey(keyText.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
        PEM_write_bio_X509(certificateText.get(), certificate.get()) != 1) {
        return Error{"no certificate could be made: " + opensslTrouble()};
    }
    // The certificate last: while there is none, the next start makes both anew, whatever a power cut left.
    if (auto kept = keep(files.keyFile, keyText.get(), 0600); !kept) return kept;
    return keep(files.certificateFile, certificateText.get(), 0644);
}

}  // namespace

ServerTls ownCertificateFiles(const std::string& folder) {
    return {
        .certificateFile = folder + "/tls-cert.pem", .keyFile = folder + "/tls-key.pem", .clientCaFile = {}};
}

Result<ServerTls> ownCertificate(const std::string& folder, const std::string& hostName,
                                 const std::string& address) {
    ServerTls files = ownCertificateFiles(folder);
    std::error_code trouble;
    if (!std::filesystem::exists(files.certificateFile, trouble)) {
        if (auto made = make(files, hostName, address); !made) return made.error();
        logInfo("uplink", "made a certificate for this box: ", files.certificateFile);
    }
    if (auto fits = checkKey(files.keyFile, files.certificateFile); !fits) {
        return Error{fits.error().message + "; remove both files to get new ones"};
    }
    return files;
}

}  // namespace edgecam::uplink
