package org.sparkqlora.cli;

import static picocli.CommandLine.Model.UsageMessageSpec.SECTION_KEY_OPTION_LIST;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.model.FactorInitialization;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.SavedModule;
import org.sparkqlora.model.TargetModules;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.spark.ExchangeKind;
import org.sparkqlora.spark.PreparationOptions.OnBadRecord;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.tokenizer.TrainOn;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.Wire;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;

/** The root of the commands. */
@CommandLine.Command(
        name = "spark-qlora",
        mixinStandardHelpOptions = true,
        versionProvider = SparkQlora.Version.class,
        description = "Fine-tunes large language models with QLoRA as a Spark job.",
        subcommands = {
            DemoCommand.class,
            PrepareCommand.class,
            TrainCommand.class,
            EvaluateCommand.class,
            GenerateCommand.class,
            QuantizeCommand.class,
            MergeCommand.class,
            InspectCommand.class,
            PlanCommand.class,
            CompareCommand.class,
            BenchCommand.class,
            GateCommand.class,
            PublishCommand.class
        },
        footer = {
            "",
            "Exit codes: 0 done; 2 command line not understood; 64 a bad value, configuration or input;",
            "75 failed for a reason outside, the same command continues."
        })
final class SparkQlora {
    private static final int USAGE_WIDTH = 110;
    private static final int LONGEST_OPTION = 24;
    private static final String COMMANDS_FOOTER =
            "* is required. --help-all lists all options in full, --config FILE takes them from a YAML file.";

    @Option(
            names = "--result",
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description =
                    "Also write how it ended to this file, on any Hadoop file system: JSON with exit code, reasons and"
                            + " the summary.")
    private @Nullable Location result;

    @Option(
            names = "--config",
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description =
                    "Take options of the command from this YAML file. They have the names that they have here, in their groups or"
                            + " not; an option of the command line takes the place of the file's. Any Hadoop file system.")
    private @Nullable Location config;

    @Option(names = OptionList.ALL, scope = ScopeType.INHERIT, description = "Show the help of all options and exit.")
    boolean helpAll;

    /** The file that options are taken from; null without one. */
    @Nullable
    Location config() {
        return config;
    }

    /** All that speaks against writing to the file that was asked for. */
    List<String> problems() {
        Problems problems = new Problems();
        Location file = result;
        if (file != null && file.isLocal()) {
            problems.requireOwn("--result", file.local(), ResultJson.BEGINNING);
        }

        return problems.all();
    }

    /** Writes how {@code command} ended to the file that was asked for, if one was; another file that is there stays. */
    void leaveResult(String command, Ending ending) {
        if (result != null && problems().isEmpty()) {
            result.replaceText(ResultJson.write(command, ending));
        }
    }

    /** A parser that collects all errors instead of stopping at the first. */
    static CommandLine commandLine() {
        return commandLine(new SparkQlora());
    }

    /** The same for the options of {@code command}. */
    static CommandLine commandLine(Object command) {
        CommandLine line = new CommandLine(command);
        register(line, Method.class, Method::parse);
        register(line, PrecisionChoice.class, PrecisionChoice::parse);
        register(line, DeviceChoice.class, DeviceChoice::parse);
        register(line, FourBitCode.class, FourBitCode::parse);
        register(line, RecordFormat.class, RecordFormat::parse);
        register(line, TrainOn.class, TrainOn::parse);
        register(line, TargetModules.class, TargetModules::parse);
        register(line, SavedModule.class, SavedModule::parse);
        register(line, FactorInitialization.class, FactorInitialization::parse);
        register(line, OptimizerKind.class, OptimizerKind::parse);
        register(line, ScheduleKind.class, ScheduleKind::parse);
        register(line, OnBadRecord.class, OnBadRecord::parse);
        register(line, RecomputeChoice.class, RecomputeChoice::parse);
        register(line, Resume.class, Resume::parse);
        register(line, Location.class, Location::parse);
        register(line, ModelCache.class, folder -> ModelCache.at(Path.of(folder)));
        register(line, ExchangeKind.class, ExchangeKind::parse);
        register(line, Wire.class, Wire::parse);
        register(line, MergeBase.class, MergeBase::parse);
        register(line, ParameterCount.class, ParameterCount::parse);
        register(line, ByteCount.class, ByteCount::parse);
        register(line, PageChoice.class, PageChoice::parse);
        register(line, ModelShape.class, ModelShape::parse);
        register(line, BenchPart.class, BenchPart::parse);
        line.getCommandSpec().parser().collectErrors(true);
        line.setUsageHelpWidth(USAGE_WIDTH);
        line.setUsageHelpLongOptionsMaxWidth(LONGEST_OPTION);
        line.getHelpSectionMap().put(SECTION_KEY_OPTION_LIST, new OptionList());
        line.getSubcommands().values().forEach(SparkQlora::set);
        return line;
    }

    private static void set(CommandLine command) {
        command.getCommandSpec().parser().collectErrors(true);
        command.getCommandSpec().usageMessage().requiredOptionMarker('*').footer(COMMANDS_FOOTER);
        command.getHelpSectionMap().put(SECTION_KEY_OPTION_LIST, new OptionList());
    }

    private static <T> void register(CommandLine line, Class<T> type, Function<String, T> parse) {
        ITypeConverter<T> converter = text -> {
            try {
                return parse.apply(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        };
        line.registerConverter(type, converter);
    }

    /** The version of the jar. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = SparkQlora.class.getPackage().getImplementationVersion();
            return new String[] {"spark-qlora " + (version == null ? "(not packaged)" : version)};
        }
    }
}
