package org.sparkqlora.checkpoint.hub;

import java.io.Serializable;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model on a hub.
 *
 * @param name owner and model, as in {@code org/name}
 * @param revision a branch, a tag, or a commit
 */
public record HubId(String name, String revision) implements Serializable {
    /** The prefix of addresses of hub models. */
    public static final String SCHEME = "hf";

    private static final String PREFIX = SCHEME + "://";
    private static final String MAIN = "main";
    private static final Pattern NAME = Pattern.compile("([\\w][\\w.-]*/[\\w][\\w.-]*)(?:@([\\w][\\w./-]*))?");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    /** Reads {@code org/name} or {@code org/name@revision}, as a person writes it; nothing when it is neither. */
    public static Optional<HubId> parse(String text) {
        Matcher parts = NAME.matcher(text);
        if (!parts.matches()) {
            return Optional.empty();
        }

        return Optional.of(new HubId(parts.group(1), parts.group(2) == null ? MAIN : parts.group(2)));
    }

    /** Reads an address, as plans keep it; nothing when it is of another kind. */
    public static Optional<HubId> ofAddress(String address) {
        return address.startsWith(PREFIX) ? parse(address.substring(PREFIX.length())) : Optional.empty();
    }

    /** The public name of the model at {@code address}: its name on the hub, or the address itself. */
    public static String publicName(String address) {
        return ofAddress(address).map(HubId::name).orElse(address);
    }

    public String address() {
        return PREFIX + this;
    }

    /** Whether the revision names bytes that never change. */
    public boolean isPinned() {
        return COMMIT.matcher(revision).matches();
    }

    HubId at(String commit) {
        return new HubId(name, commit);
    }

    @Override
    public String toString() {
        return name + "@" + revision;
    }
}
