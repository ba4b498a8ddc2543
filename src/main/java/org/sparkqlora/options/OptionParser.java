package org.sparkqlora.options;

import static picocli.CommandLine.Model.UsageMessageSpec.SECTION_KEY_OPTION_LIST;

import java.nio.file.Path;
import java.util.function.Function;
import org.sparkqlora.checkpoint.Server;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.SavedModule;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.objective.Reference;
import org.sparkqlora.objective.UnpairedLoss;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.tokenizer.TrainOn;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.Resume;
import org.sparkqlora.weights.gguf.GgufOutType;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Parsers of options: which text stands for which value. */
public final class OptionParser {
    private static final int USAGE_WIDTH = 110;
    private static final int LONGEST_OPTION = 24;
    private static final String COMMANDS_FOOTER =
            "* is required. --help-all lists all options in full, --config FILE takes them from a YAML file.";

    private OptionParser() {}

    /** A parser that fills {@code options} and collects all errors instead of stopping at the first. */
    public static CommandLine of(Object options) {
        return reading(new CommandLine(options));
    }

    /** Makes {@code line} such a parser, its commands too. */
    public static CommandLine reading(CommandLine line) {
        CommandLine.tracer().setLevel(CommandLine.TraceLevel.OFF); // it would warn of each quote of SQL that is alone
        register(line, Method.class, Method::parse);
        register(line, PrecisionChoice.class, PrecisionChoice::parse);
        register(line, DeviceChoice.class, DeviceChoice::parse);
        register(line, FourBitCode.class, FourBitCode::parse);
        register(line, RecordFormat.class, RecordFormat::parse);
        register(line, TrainOn.class, TrainOn::parse);
        register(line, TargetModules.class, TargetModules::parse);
        register(line, ProblemType.class, ProblemType::parse);
        register(line, SavedModule.class, SavedModule::parse);
        register(line, FactorInitialization.class, FactorInitialization::parse);
        register(line, ObjectiveKind.class, ObjectiveKind::parse);
        register(line, UnpairedLoss.class, UnpairedLoss::parse);
        register(line, Reference.class, Reference::parse);
        register(line, OptimizerKind.class, OptimizerKind::parse);
        register(line, ScheduleKind.class, ScheduleKind::parse);
        register(line, OnBadRecord.class, OnBadRecord::parse);
        register(line, RecomputeChoice.class, RecomputeChoice::parse);
        register(line, Resume.class, Resume::parse);
        register(line, Location.class, Location::parse);
        register(line, UsedAdapters.UsedAdapter.class, UsedAdapters.UsedAdapter::parse);
        register(line, ModelCache.class, folder -> ModelCache.at(Path.of(folder)));
        register(line, ExchangeKind.class, ExchangeKind::parse);
        register(line, ZeroStage.class, ZeroStage::parse);
        register(line, GradientDtype.class, GradientDtype::parse);
        register(line, MergeBase.class, MergeBase::parse);
        register(line, GgufOutType.class, GgufOutType::parse);
        register(line, Server.class, Server::parse);
        register(line, ParameterCount.class, ParameterCount::parse);
        register(line, ByteCount.class, ByteCount::parse);
        register(line, NetworkSpeed.class, NetworkSpeed::parse);
        register(line, PageChoice.class, PageChoice::parse);
        register(line, BaseMemoryChoice.class, BaseMemoryChoice::parse);
        line.getCommandSpec().parser().collectErrors(true);
        line.setUsageHelpWidth(USAGE_WIDTH);
        line.setUsageHelpLongOptionsMaxWidth(LONGEST_OPTION);
        line.getHelpSectionMap().put(SECTION_KEY_OPTION_LIST, new OptionList());
        line.getSubcommands().values().forEach(OptionParser::set);
        return line;
    }

    private static void set(CommandLine command) {
        command.getCommandSpec().parser().collectErrors(true);
        command.getCommandSpec().usageMessage().requiredOptionMarker('*').footer(COMMANDS_FOOTER);
        command.getHelpSectionMap().put(SECTION_KEY_OPTION_LIST, new OptionList());
    }

    /** Lets {@code parse} read values of {@code type}; it throws an {@link IllegalArgumentException} where it cannot. */
    public static <T> void register(CommandLine line, Class<T> type, Function<String, T> parse) {
        ITypeConverter<T> converter = text -> {
            try {
                return parse.apply(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        };
        line.registerConverter(type, converter);
    }
}
