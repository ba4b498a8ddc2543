package org.sparkqlora.options;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine.Option;

/** The adapters that answer, over one base. */
@OptionGroup.In(OptionGroup.ADAPTER)
public final class UsedAdapters {
    /** The name by which a prompt chooses the base alone, as in PEFT. */
    public static final String BASE = "__base__";

    /** The column of names unless it is given. */
    public static final String COLUMN = "adapter";

    @OptionGroup.Common
    @Option(
            names = "--adapter",
            paramLabel = "[NAME=]DIR",
            description =
                    "Adapter in PEFT layout. With --prompts and --prompt-table once for each of several, which answer the prompts that name them. Default: the base alone.")
    List<UsedAdapter> all = new ArrayList<>();

    @Option(
            names = "--adapter-column",
            paramLabel = "NAME",
            description =
                    "Field of the records of --prompts, or column of --prompt-table, with the NAME of the --adapter that answers. Without a name, or null: the --adapter that has none, or else the base; "
                            + BASE + ": the base alone. Default: " + COLUMN + ".")
    @Nullable
    String column;

    /**
     * Adapters that a program names.
     *
     * @param unnamed answers prompts that name none; null for the base alone
     */
    public static UsedAdapters of(@Nullable Location unnamed, Map<String, Location> named, @Nullable String column) {
        UsedAdapters adapters = new UsedAdapters();
        if (unnamed != null) {
            adapters.all.add(new UsedAdapter("", unnamed));
        }

        named.forEach((name, folder) -> adapters.all.add(new UsedAdapter(name, folder)));
        adapters.column = column;
        return adapters;
    }

    /** Whether prompts may name adapters. */
    public boolean areNamed() {
        return all.stream().anyMatch(adapter -> !adapter.name().isEmpty());
    }

    /** The column, or field, of names. */
    public String column() {
        return column == null ? COLUMN : column;
    }

    /** Those that were given, in their order. */
    public List<UsedAdapter> all() {
        return List.copyOf(all);
    }

    /** The folder of each by its name. */
    public SortedMap<String, Location> folders() {
        SortedMap<String, Location> folders = new TreeMap<>();
        all.forEach(adapter -> folders.put(adapter.name(), adapter.folder()));
        return Collections.unmodifiableSortedMap(folders);
    }

    void check(Problems problems) {
        for (UsedAdapter adapter : all) {
            problems.requireFolder(("--adapter " + adapter.name()).strip(), adapter.folder());
        }

        folders().forEach((name, folder) -> {
            List<Location> same = all.stream()
                    .filter(adapter -> adapter.name().equals(name))
                    .map(UsedAdapter::folder)
                    .toList();
            problems.require(
                    same.size() == 1,
                    "--adapter: expected one %s, found %s",
                    name.isEmpty() ? "without a name" : "of the name " + name,
                    same);
        });
        problems.require(
                !folders().containsKey(BASE),
                "--adapter: expected another name than %s, which stands for the base alone",
                BASE);
        problems.require(
                column == null || areNamed(),
                "--adapter-column: expected with it an --adapter NAME=DIR, found none that has a name");
    }

    /**
     * An adapter that answers.
     *
     * @param name by which prompts choose it; empty: it answers those that name none
     */
    public record UsedAdapter(String name, Location folder) {
        /** Reads {@code NAME=DIR} or {@code DIR}. A name has neither slash nor colon, so that {@code ./a=b} is a folder. */
        static UsedAdapter parse(String text) {
            int equals = text.indexOf('=');
            String name = equals < 0 ? "" : text.substring(0, equals).strip();
            if (name.isEmpty() || name.contains("/") || name.contains(":")) {
                return new UsedAdapter("", Location.parse(text));
            }

            String folder = text.substring(equals + 1);
            if (folder.isBlank()) {
                throw new BadInputException("expected NAME=DIR or DIR, found '%s'".formatted(text));
            }

            return new UsedAdapter(name, Location.parse(folder));
        }
    }
}
