package org.sparkqlora.options;

import java.net.URISyntaxException;
import java.net.URL;
import java.util.Objects;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.spark.SparkConf;

/** Warnings and errors only, unless the user has a logging configuration of their own. */
public final class QuietLogging {
    private QuietLogging() {}

    /** No more: what breaks while a process is asked to end is no news. */
    public static void silence() {
        Configurator.setAllLevels("", Level.OFF);
    }

    public static void install() {
        if (System.getProperty("log4j2.configurationFile") != null
                || System.getProperty("log4j.configurationFile") != null) {
            return;
        }

        // Spark configures logging at its first message, on some lines again after spark-submit: what is set earlier is
        // lost.
        new SparkConf(false).initializeLogIfNecessary(false, true);
        URL settings = settings();
        try {
            Configurator.reconfigure(settings.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("Cannot configure logging from " + settings, e);
        }
    }

    static URL settings() {
        return Objects.requireNonNull(QuietLogging.class.getResource("log4j2.properties"));
    }
}
