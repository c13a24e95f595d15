//! SET and UNSET.

use millrace_planner::error::{ErrorKind, PlanError};

use crate::error::Result;
use crate::session::Session;
use crate::settings::{Origin, Scope, Settings};

impl Session {
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        let setting = Settings::find(name)?;
        if setting.scope == Scope::Start && self.running.is_some() {
            let error = PlanError::new(ErrorKind::InvalidParameter, format!("{} is fixed by now", setting.name))
                .detail("It holds for the whole engine, which has begun to run.")
                .hint(format!("SET it before the first query, or --set {}=…", setting.name));
            return Err(error.into());
        }
        match value {
            Some(value) => self.settings.set(name, Some(value), Origin::Statement)?,
            None => {
                // back to what the session was started with
                let (value, origin) = self.options.settings.get(setting);
                self.settings.set(name, (origin != Origin::Default).then_some(value.as_str()), origin)?
            }
        };
        self.publish_settings();
        Ok(())
    }

    /// Tells the planner.
    pub(crate) fn publish_settings(&mut self) {
        self.catalog.settings = self.settings.for_planner();
    }
}
