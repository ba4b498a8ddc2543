package org.sparkqlora.checkpoint.hub;

import java.io.Serializable;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.http.WebAddress;
import org.sparkqlora.input.BadInputException;

/**
 * Access to a hub.
 *
 * @param endpoint its address, without a slash at the end
 * @param token lets private and gated models be read; it is never written anywhere; null: none
 * @param network whether it may be asked at all
 */
public record HubAccess(String endpoint, @Nullable String token, Network network) implements Serializable {
    private static final String DEFAULT = "https://huggingface.co";

    /** Whether the hub may be asked. */
    public enum Network {
        ONLINE,
        OFFLINE
    }

    public HubAccess {
        endpoint = endpoint.endsWith("/") ? endpoint.substring(0, endpoint.length() - 1) : endpoint;
        requireAddress(endpoint);
        requireHeader(token);
    }

    /** As Hugging Face's own variables say: {@code HF_ENDPOINT}, {@code HF_TOKEN}, {@code HF_HUB_OFFLINE}. */
    public static HubAccess of(Map<String, String> environment) {
        String token = environment.getOrDefault("HF_TOKEN", "").strip();
        String offline = environment.getOrDefault("HF_HUB_OFFLINE", "");
        return new HubAccess(
                environment.getOrDefault("HF_ENDPOINT", DEFAULT),
                token.isEmpty() ? null : token,
                isSet(offline) ? Network.OFFLINE : Network.ONLINE);
    }

    private static void requireAddress(String endpoint) {
        Optional<URI> address = WebAddress.parse(endpoint);
        if (address.isEmpty() || address.get().getUserInfo() != null) {
            throw new BadInputException(
                    "Cannot ask a hub: expected HF_ENDPOINT to be an address such as https://huggingface.co, found another text");
        }
    }

    /** Checked here because the message of Java's client would contain the whole token. */
    private static void requireHeader(@Nullable String token) {
        if (token != null && !WebAddress.isHeader(token)) {
            throw new BadInputException(
                    "Cannot ask a hub: expected HF_TOKEN to be of visible characters on one line, found others");
        }
    }

    private static boolean isSet(String flag) {
        return !flag.isEmpty() && !flag.equals("0") && !flag.equalsIgnoreCase("false") && !flag.equalsIgnoreCase("no");
    }

    /** Whether the token may be sent there: a download that goes on elsewhere must not take it along. */
    boolean trusts(URI address) {
        URI home = URI.create(endpoint);
        return address.getHost() != null
                && address.getHost().equals(home.getHost())
                && address.getPort() == home.getPort()
                && address.getScheme().equals(home.getScheme());
    }

    /** Without the token. */
    @Override
    public String toString() {
        return endpoint;
    }
}
