package org.sparkqlora.options;

import java.util.Map;
import org.sparkqlora.model.layout.Method;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** Options of answers and losses over the rows of a table. */
@CommandLine.Command(name = "use")
public final class UseOptions {
    @Mixin
    public ModelOptions model = new ModelOptions();

    /** They are no option here. */
    public UsedAdapters adapters = new UsedAdapters();

    @Mixin
    public SamplingOptions choice = new SamplingOptions();

    @Mixin
    public DataOptions data = new DataOptions();

    /**
     * Options with {@code values} by the names of {@link Settings#USE}.
     *
     * @throws IllegalArgumentException that names all problems
     */
    public static UseOptions of(Map<String, Object> values, UsedAdapters adapters) {
        return Settings.USE.fill(new UseOptions(), values, (options, problems) -> {
            options.adapters = adapters;
            options.check(problems);
        });
    }

    private void check(Problems problems) {
        model.check(problems);
        problems.require(model.method != Method.FULL, "--method: expected qlora or lora, found full");
        adapters.check(problems);
        choice.check(problems);
        data.check(problems);
    }
}
