package org.sparkqlora.checkpoint;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The name of a checkpoint's folder, unique because claims are: no one else ever writes under it. The commit object has the
 * same name and {@value #COMMIT}.
 *
 * @param step steps taken
 * @param run who writes
 * @param attempt the writer's claim
 * @param serial which checkpoint of that writer
 */
record CheckpointName(long step, String run, long attempt, int serial) implements Comparable<CheckpointName> {
    static final String COMMIT = ".json";

    private static final Pattern FORM = Pattern.compile("step-(\\d{1,18})-([\\w.]+)-(\\d{1,18})-(\\d{1,9})");

    /** A later claim began from an earlier one's State, or anew on purpose: it wins whatever its step. */
    private static final Comparator<CheckpointName> AGE = Comparator.comparingLong(CheckpointName::attempt)
            .thenComparingLong(CheckpointName::step)
            .thenComparingInt(CheckpointName::serial)
            .thenComparing(CheckpointName::run);

    static Optional<CheckpointName> parse(String text) {
        Matcher matcher = FORM.matcher(text);
        return matcher.matches()
                ? Optional.of(new CheckpointName(
                        Long.parseLong(matcher.group(1)),
                        matcher.group(2),
                        Long.parseLong(matcher.group(3)),
                        Integer.parseInt(matcher.group(4))))
                : Optional.empty();
    }

    static Optional<CheckpointName> parseCommit(String text) {
        return text.endsWith(COMMIT) ? parse(text.substring(0, text.length() - COMMIT.length())) : Optional.empty();
    }

    /** The checkpoints among the names of objects. */
    static List<CheckpointName> newestFirst(Stream<String> commits) {
        return commits.flatMap(name -> parseCommit(name).stream())
                .distinct()
                .sorted(Comparator.reverseOrder())
                .toList();
    }

    String folder() {
        return String.format(Locale.ROOT, "step-%d-%s-%d-%d", step, run, attempt, serial);
    }

    String commit() {
        return folder() + COMMIT;
    }

    @Override
    public int compareTo(CheckpointName other) {
        return AGE.compare(this, other);
    }
}
