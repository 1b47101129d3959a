// One function app with what is its own: identity, host account and plan. Its settings are apart: those need its host name and
// the registrations, which need its identity.

@description('all, front, worker or broker.')
param role string

@description('Suffix that makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Region.')
param location string

@description('Tags of the environment.')
param tags object

@description('Redundancy of the host\'s account.')
param redundancy string

@description('Memory of an instance, in MB.')
param instanceMemoryMB int

@description('The most instances that the app scales out to.')
param maximumInstanceCount int

@description('How many HTTP requests an instance takes at once.')
param httpConcurrency int

@description('Whether no address is let in where the app answers nobody.')
param workersClosed bool

@description('Instances of the group durable (orchestrators and activities) that are kept running.')
param durableAlwaysReady int = 0

// The app that answers is the same one in both shapes, so that its address stays. Its identity and its account are not: what the
// whole app's identity may, and what lies in its task hub, the front must not inherit.
var answers = role == 'all' || role == 'front'
var place = answers ? token : '${role}-${token}'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: role == 'all' ? 'id-${token}' : 'id-${role}-${token}'
  location: location
  tags: tags
}

module host 'host.bicep' = {
  name: 'host-${role}'
  params: {
    name: 'st${role == 'all' ? 'host' : role}${token}'
    location: location
    tags: tags
    redundancy: redundancy
    identityPrincipalId: identity.properties.principalId
  }
}

// A plan of Flex Consumption holds one app (Microsoft Learn, Flex Consumption plan).
resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${place}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: 'func-${place}'
  location: location
  // azd finds the service by its tag.
  tags: union(tags, { 'azd-service-name': answers ? 'app' : role })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identity.id
    // Of siteConfig this plan takes a part. The rest, ftpsState among it, is refused in some regions and left aside in others (error
    // 51021; azure-cli issue 31414, Azure/terraform-azurerm-avm-res-web-site pull request 345).
    siteConfig: {
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      // Where nothing is answered nobody is let in. Packages still come: those go to the app's other address. But the host tells the
      // platform of its timers at the app's own address (azure-functions-host, FunctionsSyncManager), where this may be in its way.
      ipSecurityRestrictionsDefaultAction: answers || !workersClosed ? 'Allow' : 'Deny'
      scmIpSecurityRestrictionsDefaultAction: 'Allow'
      scmIpSecurityRestrictionsUseMain: false
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: host.outputs.deploymentContainer
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        // By itself it follows from the memory (16 at 2,048 MB), and so many would wait for each other in one Python process.
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
        alwaysReady: durableAlwaysReady == 0 ? [] : [
          {
            name: 'durable'
            instanceCount: durableAlwaysReady
          }
        ]
      }
    }
  }
}

// No user name and password for publishing: packages come by Entra tokens only. It shuts FTP, too, which knows nothing else.
resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

@description('Name of the app.')
output name string = app.name

@description('Host name under which the app is reached.')
output hostName string = app.properties.defaultHostName

@description('Client id of the identity, by which code names it.')
output identityClientId string = identity.properties.clientId

@description('Object id of the identity, to which roles are assigned and which the registrations trust.')
output principalId string = identity.properties.principalId

@description('Name of the host\'s account.')
output hostAccountName string = host.outputs.accountName
