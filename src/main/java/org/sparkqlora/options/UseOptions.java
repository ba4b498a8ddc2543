package org.sparkqlora.options;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.Method;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** Options of answers and losses over the rows of a table. */
@CommandLine.Command(name = "use")
public final class UseOptions {
    @Mixin
    public ModelOptions model = new ModelOptions();

    /** In PEFT layout; null for the base alone. */
    @Nullable
    public Location adapter;

    @Mixin
    public SamplingOptions choice = new SamplingOptions();

    @Mixin
    public DataOptions data = new DataOptions();

    /**
     * Options with {@code values} by the names of {@link Settings#USE}.
     *
     * @throws IllegalArgumentException that names all problems
     */
    public static UseOptions of(Map<String, Object> values, @Nullable Location adapter) {
        return Settings.USE.fill(new UseOptions(), values, (options, problems) -> {
            options.adapter = adapter;
            options.check(problems);
        });
    }

    private void check(Problems problems) {
        model.check(problems);
        problems.require(model.method != Method.FULL, "--method: expected qlora or lora, found full");
        problems.requireFolder("--adapter", adapter);
        choice.check(problems);
        data.check(problems);
    }
}
