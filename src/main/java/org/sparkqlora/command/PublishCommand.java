package org.sparkqlora.command;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.PublishedFolder;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.Required;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code publish}: a result where others take it from. */
@CommandLine.Command(
        name = "publish",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description =
                "Copies an adapter or a model to where others take it from, reads it back, and writes published.json"
                        + " with length and SHA-256 of each file last. What is published never changes: run again it does"
                        + " nothing, and other files are refused.")
public final class PublishCommand implements Command {
    @Option(
            names = "--from",
            required = true,
            paramLabel = "DIR",
            description = "Folder to publish, such as adapter/ of train's --output.")
    @Nullable
    Location from;

    @Option(
            names = "--to",
            required = true,
            paramLabel = "DIR",
            description = "Folder of this version, on any Hadoop file system; must not exist, or be the same.")
    @Nullable
    Location to;

    @Override
    public void check(Problems problems) {
        problems.requireFolder("--from", from);
        problems.requirePlaceOrContent("--to", to);
    }

    @Override
    public String run(Console console) {
        Location source = Required.value("--from", from);
        Location target = Required.value("--to", to);
        PublishedFolder published = PublishedFolder.write(source.files(), source.path(), target.files(), target.path());
        console.note("published %s as %s", source, target);
        return SummaryJson.published(target, published);
    }
}
