package org.sparkqlora.ml;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;

/** The warnings that a class logs, from here until it is closed. */
final class LoggedWarnings extends AbstractAppender implements AutoCloseable {
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Logger logger;

    private LoggedWarnings(Logger logger) {
        super("warnings", null, null, false, Property.EMPTY_ARRAY);
        this.logger = logger;
    }

    static LoggedWarnings of(Class<?> type) {
        LoggedWarnings warnings = new LoggedWarnings((Logger) LogManager.getLogger(type));
        warnings.start();
        warnings.logger.addAppender(warnings);
        warnings.logger.setLevel(Level.WARN);
        return warnings;
    }

    @Override
    public void append(LogEvent event) {
        lines.add(event.getMessage().getFormattedMessage());
    }

    List<String> lines() {
        return lines;
    }

    @Override
    public void close() {
        logger.removeAppender(this);
        stop();
    }
}
