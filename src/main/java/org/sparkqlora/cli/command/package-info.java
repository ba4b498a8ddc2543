/** The commands, and how a command ends. */
@NullMarked
package org.sparkqlora.cli.command;

import org.jspecify.annotations.NullMarked;
