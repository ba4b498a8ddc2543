package org.sparkqlora.spark.mlflow;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/**
 * The name of a model in MLflow's registry.
 *
 * @param name such as {@code catalog.schema.model}
 * @param alias that its new version gets; null for none
 */
public record RegisteredName(String name, @Nullable String alias) {
    private static final Pattern NAME = Pattern.compile("([^@/:]+)(?:@([A-Za-z][A-Za-z0-9_-]*))?");

    private static final Pattern IN_CATALOG = Pattern.compile("[^.]+\\.[^.]+\\.[^.]+");

    /** Versions have names like these. */
    private static final Pattern RESERVED = Pattern.compile("(?i)latest|v\\d+");

    /** Reads {@code name} or {@code name@alias}. */
    public static RegisteredName parse(String text) {
        Matcher parts = NAME.matcher(text.strip());
        if (!parts.matches()
                || parts.group(2) != null && RESERVED.matcher(parts.group(2)).matches()) {
            throw new BadInputException(
                    "expected NAME or NAME@ALIAS, such as main.llm.owls@candidate, found %s. A name has no / or :, and an alias is no version"
                            .formatted(text));
        }

        return new RegisteredName(parts.group(1), parts.group(2));
    }

    /** Throws unless Unity Catalog can have it. */
    public void requireInUnityCatalog() {
        if (!IN_CATALOG.matcher(name).matches()) {
            throw new BadInputException(
                    "expected CATALOG.SCHEMA.MODEL for Unity Catalog, such as main.llm.owls, found %s".formatted(name));
        }
    }

    @Override
    public String toString() {
        return alias == null ? name : name + "@" + alias;
    }
}
