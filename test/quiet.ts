import { Logger } from '@nestjs/common';

// Tests provoke errors on purpose; what a log must say is tested on a real process.
Logger.overrideLogger(false);
