package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.util.function.Function;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.Filter;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.ConfigurationFactory;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.core.layout.PatternLayout;
import org.apache.logging.log4j.message.SimpleMessage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class QuietLoggingTest {
    private static final String BLOCKS = "org.apache.spark.storage.BlockManager";

    /** Python finds them by their path in the jar. */
    @Test
    void itsSettingsLieBesideIt() {
        assertThat(QuietLogging.settings().getPath()).endsWith("/org/sparkqlora/options/log4j2.properties");
    }

    /** Spark's cleaner may take a broadcast that is just being destroyed. */
    @Test
    void ofBlocksOnlyABroadcastThatIsGoneIsNoNews() throws URISyntaxException {
        assertThat(isTold("Asked to remove block broadcast_5, which does not exist"))
                .isFalse();
        assertThat(isTold("Asked to remove block rdd_5_1, which does not exist"))
                .isTrue();
        assertThat(isTold("Putting block broadcast_5 failed")).isTrue();
    }

    @Test
    void anExceptionIsTheRestOfItsLine() throws URISyntaxException {
        assertThat(told(null)).endsWith(" WARN BlockManager: Lost a block" + System.lineSeparator());
        assertThat(told(new IOException("Connection reset")))
                .endsWith(" WARN BlockManager: Lost a block: Connection reset" + System.lineSeparator());
    }

    private static String told(@Nullable Exception thrown) throws URISyntaxException {
        return with(settings -> ((PatternLayout) settings.getAppender("stderr").getLayout())
                .toSerializable(warning("Lost a block").setThrown(thrown).build()));
    }

    private static boolean isTold(String message) throws URISyntaxException {
        return with(settings -> settings.getLoggerConfig(BLOCKS)
                        .getFilter()
                        .filter(warning(message).build())
                != Filter.Result.DENY);
    }

    private static Log4jLogEvent.Builder warning(String message) {
        return Log4jLogEvent.newBuilder()
                .setLoggerName(BLOCKS)
                .setLevel(Level.WARN)
                .setMessage(new SimpleMessage(message));
    }

    private static <T> T with(Function<Configuration, T> work) throws URISyntaxException {
        try (LoggerContext context = new LoggerContext("test")) {
            Configuration settings = ConfigurationFactory.getInstance()
                    .getConfiguration(context, "test", QuietLogging.settings().toURI());
            settings.initialize();
            return work.apply(settings);
        }
    }
}
