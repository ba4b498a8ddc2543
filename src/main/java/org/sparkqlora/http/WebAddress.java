package org.sparkqlora.http;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;

/** Addresses of servers, and what is sent with a request, as people give them. */
public final class WebAddress {
    private WebAddress() {}

    /** An address that begins with {@code http://} or {@code https://} and names a host; empty for any other text. */
    public static Optional<URI> parse(String text) {
        return anyUri(text).filter(WebAddress::isWeb);
    }

    /** The address that {@code text}, whole or relative, means on a page at {@code page}. */
    public static Optional<URI> resolve(URI page, String text) {
        return anyUri(text).map(page::resolve).filter(WebAddress::isWeb);
    }

    /** Whether a header may have this value. */
    public static boolean isHeader(String value) {
        return value.chars().allMatch(character -> character >= ' ' && character < 127);
    }

    private static boolean isWeb(URI uri) {
        return ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme())) && uri.getHost() != null;
    }

    private static Optional<URI> anyUri(String text) {
        try {
            return Optional.of(new URI(text));
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }
}
